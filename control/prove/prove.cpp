// SPDX-License-Identifier: BSD-3-Clause
#include "control/prove/prove.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <iterator>
#include <utility>

#include "control/prove/scope.hpp"
#include "control/prove/way.hpp"

namespace sekisho::prove {
namespace {

using route::AddressSet;
using Ranges = std::vector<AddressSet::Range>;

auto to_text(const config::Destination& destination) -> std::string {
  using Kind = config::Destination::Kind;
  switch (destination.kind) {
    case Kind::internet:
      return "internet";
    case Kind::prefix:
      return base::to_string(destination.prefix);
    case Kind::tag:
      return "tag:" + destination.name;
    case Kind::preset:
      break;
  }
  return "preset:" + destination.name;
}

// "a, b or c"
template <class List, class Text>
auto listed(const List& list, std::string_view last, Text text) -> std::string {
  std::string result;
  for (std::size_t i = 0; i < list.size(); ++i) {
    result += i == 0 ? "" : i + 1 == list.size() ? fmt::format(" {} ", last) : ", ";
    result += text(list[i]);
  }
  return result;
}

auto own_addresses(const Kernel& kernel) -> AddressSet {
  Ranges result;
  for (const auto& routes : kernel.routes)
    for (const auto& route : routes)
      if (route.kind == KernelRoute::Kind::own)
        result.push_back({route.prefix.address, route.prefix.last()});
  return AddressSet{std::move(result)};
}

void add_offender(Proof& proof, const Way& way, std::uint64_t destinations, const std::string& zone,
                  const policy::Policy& policy, std::vector<Way>& known) {
  const auto found = std::ranges::find_if(
      known, [&](const Way& other) { return other.route == way.route && other.kernel == way.kernel; });
  const auto index = proof.offenders.size() - known.size() + static_cast<std::size_t>(found - known.begin());
  if (found == known.end()) {
    if (proof.offenders.size() == most_offenders)
      return;
    known.push_back(way);
    proof.offenders.push_back({.zone = zone, .decider = decider_of(policy, way), .destinations = 0});
  }
  proof.offenders[index].destinations += destinations;
}

}  // namespace

Prover::Prover(const policy::Policy& policy, Kernel kernel)
    : policy_(policy), kernel_(std::move(kernel)), sources_(sources_of(policy, kernel_.nobodys)) {
  kernel_.routes.resize(policy.zones.size());
  const auto& config = policy.config;
  const auto space = internet(config, kernel_.subnets);
  for (std::size_t i = 0; i < config.assertions.size(); ++i)
    add(config.assertions[i], policy.assertions[i], space);
  if (config.internet && config.internet->asserted) {
    for (const auto& zone : config.zones)
      if (zone.internet)
        add_built_in(zone, space);
  }
  const auto unspoken = martians().with(own_addresses(kernel_));
  for (auto& statement : statements_)
    statement.scope = statement.scope.without(unspoken);
}

void Prover::add(const config::Assertion& written, const policy::Assertion& unfolded,
                 const AddressSet& internet) {
  statements_.push_back(
      {.name = written.name,
       .line = written.line,
       .zone = written.zone,
       .from = written.from,
       .to = listed(written.to, "and", to_text) +
             (written.except.empty() ? "" : " except " + listed(written.except, "and", to_text)),
       .via = written.via,
       .scope = addresses_of(unfolded.to, internet).without(addresses_of(unfolded.except, internet))});
}

void Prover::add_built_in(const config::Zone& zone, const AddressSet& internet) {
  const auto& via = policy_.config.via_of(zone);
  statements_.push_back(
      {.name = fmt::format("zone {} reaches the Internet by {} and named exceptions only", zone.name, via),
       .line = zone.line,
       .zone = zone.name,
       .from = {},
       .to = "internet",
       .via = {via, std::string{policy::none}},
       .scope = internet,
       .built_in = true});
}

auto Prover::prove(std::size_t index) const -> Proof {
  const auto& statement = statements_[index];
  Proof proof;
  std::vector<std::string> ways;
  std::ranges::transform(statement.via, std::back_inserter(ways), [](const std::string& via) {
    return via == policy::none ? std::string{config::dropped} : via;
  });
  if (statement.built_in)
    ways.emplace_back("a named exception");
  proof.way = listed(ways, "or", std::identity{});
  proof.statement = fmt::format(
      "{} to {} via {}",
      statement.zone.empty() ? base::to_string(statement.from) : fmt::format("zone {}", statement.zone),
      statement.to, proof.way);
  proof.name = statement.name.empty() ? proof.statement : statement.name;
  proof.line = statement.line;
  proof.built_in = statement.built_in;
  proof.spoken = statement.scope.size();
  if (statement.scope.empty())
    proof.empty = "no table is asked about any of these destinations";
  else if (statement.zone.empty())
    decide_prefix(statement, proof);
  else
    decide_zone(statement, proof);
  proof.holds = proof.empty.empty() && proof.destinations == 0;
  return proof;
}

void Prover::decide_zone(const Statement& statement, Proof& proof) const {
  const auto zone = static_cast<std::size_t>(
      std::ranges::find(policy_.zones, statement.zone, &policy::ZonePolicy::name) - policy_.zones.begin());
  proof.destinations = judge(statement, zone, sources_.zones[zone], proof, nullptr);
}

void Prover::decide_prefix(const Statement& statement, Proof& proof) const {
  const AddressSet from{std::span{&statement.from, 1}};
  Ranges wrong;
  std::uint64_t pairs = 0;
  bool anybody = false;
  for (std::size_t zone = 0; zone < policy_.zones.size(); ++zone) {
    const auto sources = sources_.zones[zone].common_with(from);
    if (sources.empty())
      continue;
    anybody = true;
    pairs += sources.size() * judge(statement, zone, sources, proof, &wrong);
  }
  if (const auto sources = sources_.nobody.common_with(from); !sources.empty()) {
    anybody = true;
    if (std::ranges::find(statement.via, policy::none) == statement.via.end()) {
      wrong = statement.scope.ranges();
      pairs += sources.size() * statement.scope.size();
      if (!proof.counterexample)
        proof.counterexample = Counterexample{.source = sources.ranges().front().first,
                                              .source_prefix = std::nullopt,
                                              .destination = wrong.front().first,
                                              .zone = {},
                                              .decider = no_zone()};
      if (proof.offenders.size() < most_offenders)
        proof.offenders.push_back({.zone = {}, .decider = no_zone(), .destinations = statement.scope.size()});
    }
  }
  proof.destinations = AddressSet{std::move(wrong)}.size();
  proof.pairs = pairs;
  if (!anybody)
    proof.empty = "no packet may come from there";
}

auto Prover::judge(const Statement& statement, std::size_t zone, const AddressSet& sources, Proof& proof,
                   Ranges* wrong) const -> std::uint64_t {
  const auto& policy = policy_.zones[zone];
  const Allowed allowed{policy_, statement.via, statement.built_in};
  const auto& scope = statement.scope.ranges();
  auto spoken = scope.begin();
  std::uint64_t count = 0;
  std::vector<Way> offenders;
  for_each_range(policy.table, kernel_.routes[zone],
                 [&](std::uint32_t first, std::uint32_t last, const Way& way) {
                   if (allowed(way))
                     return;
                   while (spoken != scope.end() && spoken->last < first)
                     ++spoken;
                   for (auto range = spoken; range != scope.end() && range->first <= last; ++range) {
                     const AddressSet::Range both{std::max(first, range->first), std::min(last, range->last)};
                     const auto size = std::uint64_t{both.last} - both.first + 1;
                     count += size;
                     if (wrong != nullptr)
                       wrong->push_back(both);
                     if (!proof.counterexample)
                       proof.counterexample = example(zone, sources, both.first, way);
                     add_offender(proof, way, size, policy.name, policy_, offenders);
                   }
                 });
  return count;
}

auto Prover::example(std::size_t zone, const AddressSet& sources, std::uint32_t destination,
                     const Way& way) const -> Counterexample {
  Counterexample result{.source = std::nullopt,
                        .source_prefix = std::nullopt,
                        .destination = destination,
                        .zone = policy_.zones[zone].name,
                        .decider = decider_of(policy_, way)};
  if (sources.empty())
    return result;
  result.source = sources.ranges().front().first;
  for (const auto prefix : policy_.zones[zone].sources)
    if (prefix.covers(*result.source) &&
        (!result.source_prefix || result.source_prefix->length < prefix.length))
      result.source_prefix = prefix;
  return result;
}

auto prove(const policy::Policy& policy, Kernel kernel) -> std::vector<Proof> {
  const Prover prover{policy, std::move(kernel)};
  std::vector<Proof> result;
  for (std::size_t i = 0; i < prover.size(); ++i)
    result.push_back(prover.prove(i));
  return result;
}

auto sentence(const Proof& proof) -> std::string {
  if (!proof.empty.empty())
    return "says nothing: " + proof.empty;
  if (proof.holds)
    return fmt::format("holds for {} destination addresses", proof.spoken);
  const auto& example = *proof.counterexample;
  const auto source = example.source
                          ? base::address_to_string(*example.source) +
                                (example.zone.empty() ? "" : fmt::format(" of zone {}", example.zone))
                          : fmt::format("zone {}", example.zone);
  const auto& decider = example.decider;
  const auto by = decider.prefix ? fmt::format("{} ({})", base::to_string(*decider.prefix), decider.written)
                                 : decider.written;
  const bool is_dropped = decider.next_hop == policy::none || decider.next_hop == config::dropped;
  return fmt::format("is false for {} destination address{}: what {} sends to {} {}, by {}, and not via {}",
                     proof.destinations, proof.destinations == 1 ? "" : "es", source,
                     base::address_to_string(example.destination),
                     is_dropped ? std::string{"is dropped"} : "goes via " + decider.next_hop, by, proof.way);
}

auto refuse_broken(const policy::Policy& policy) -> std::optional<base::Error> {
  const Prover prover{policy};
  for (std::size_t i = 0; i < prover.size(); ++i) {
    const auto proof = prover.prove(i);
    if (!proof.holds)
      return policy.config.at(proof.line, fmt::format("the assertion \"{}\" {}{}", proof.name,
                                                      sentence(proof), proof.built_in ? built_in_hint : ""));
  }
  return std::nullopt;
}

}  // namespace sekisho::prove
