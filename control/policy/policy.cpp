#include "control/policy/policy.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <map>
#include <optional>
#include <span>
#include <utility>

#include "control/config/words.hpp"
#include "control/load/reader.hpp"
#include "control/policy/kms.hpp"

namespace sekisho::policy {
namespace {

using fib::Prefix;
using load::Error;
using route::NameId;
using route::NextHopType;
using route::Origin;
using route::Route;

constexpr std::array default_route{Prefix{0, 0}};
constexpr std::array halves{Prefix{0, 1}, Prefix{1U << 31, 1}};
// The System routes with next hop None that Azure gives every subnet.
constexpr std::array private_space{Prefix{10U << 24, 8}, Prefix{172U << 24 | 16U << 16, 12},
                                   Prefix{192U << 24 | 168U << 16, 16}, Prefix{100U << 24 | 64U << 16, 10}};

class Builder {
 public:
  explicit Builder(Policy& policy) : policy_(policy) {}

  auto add_zone(const config::Zone& zone) -> std::optional<Error>;
  void collect_exceptions();
  void warn_of_idle_ports();
  void summarise_warnings();

 private:
  void add_internet(route::RouteTable& table);
  auto add_file(route::RouteTable& table, const config::RouteSpec& spec) -> std::optional<Error>;
  // Why this next hop cannot be that prefix's.
  auto refuse(Prefix prefix, NameId next_hop) const -> std::optional<std::string>;
  // A next hop as a route file names it.
  auto resolve(const std::string& word, const std::string& otherwise) -> tl::expected<NameId, std::string>;
  auto resolve_address(std::uint32_t address) -> tl::expected<NameId, std::string>;
  auto read_once(const std::filesystem::path& file) -> tl::expected<const load::RouteFile*, Error>;

  void warn_of_duplicates(const ZonePolicy& zone);
  auto place(const Route& route) const -> std::string;
  void warn(std::string text);

  Policy& policy_;
  std::map<std::filesystem::path, load::RouteFile> files_;  // several zones may name the same one
  std::vector<NameId> file_sources_;
  std::size_t warnings_left_out_ = 0;
};

auto Builder::add_zone(const config::Zone& zone) -> std::optional<Error> {
  ZonePolicy result{zone.name, zone.ports, zone.sources, {}};
  if (zone.internet)
    add_internet(result.table);
  for (const auto& spec : zone.routes) {
    switch (spec.kind) {
      case config::RouteSpec::Kind::prefix: {
        const auto next_hop = policy_.names.intern(spec.next_hop);
        if (auto reason = refuse(spec.prefix, next_hop))
          return Error{policy_.config.file, spec.line, std::move(*reason)};
        result.table.add({spec.prefix, Origin::user, NextHopType::named, next_hop,
                          policy_.names.intern(fmt::format("zone.{}.routes", zone.name)), spec.line});
        break;
      }
      case config::RouteSpec::Kind::preset: {
        const auto source = policy_.names.intern(fmt::format("preset {} {}", spec.preset, spec.cloud));
        for (const auto prefix : kms_addresses(spec.cloud))
          result.table.add({prefix, Origin::user, NextHopType::named, policy_.names.intern(spec.next_hop),
                            source, spec.line});
        break;
      }
      case config::RouteSpec::Kind::tag:
        return Error{policy_.config.file, spec.line, "service tags are not supported in this version"};
      case config::RouteSpec::Kind::file:
        if (auto error = add_file(result.table, spec))
          return error;
        break;
    }
  }
  result.table.finish();
  if (result.table.candidates().empty())
    warn(fmt::format("{}:{}: zone {} has no route: everything from it is dropped",
                     policy_.config.file.string(), zone.line, zone.name));
  warn_of_duplicates(result);
  policy_.zones.push_back(std::move(result));
  return std::nullopt;
}

void Builder::add_internet(route::RouteTable& table) {
  const auto& internet = *policy_.config.internet;
  const auto via = policy_.names.intern(internet.via);
  const auto source = policy_.names.intern("[internet]");
  const auto add = [&](std::span<const Prefix> prefixes) {
    for (const auto prefix : prefixes)
      table.add({prefix, Origin::system, NextHopType::named, via, source, internet.line});
  };
  if (internet.install == config::Install::halves)
    add(halves);
  else
    add(default_route);
  for (const auto prefix : private_space)
    table.add({prefix, Origin::system, NextHopType::none, policy_.names.intern(none),
               policy_.names.intern("private space"), 0});
}

auto Builder::add_file(route::RouteTable& table, const config::RouteSpec& spec) -> std::optional<Error> {
  const auto text = read_once(spec.file);
  if (!text)
    return text.error();
  const auto source = policy_.names.intern(spec.file.string());
  file_sources_.push_back(source);
  std::vector<std::optional<NameId>> resolved((*text)->next_hops.size());
  for (const auto& line : (*text)->routes) {
    auto& next_hop = resolved[line.next_hop];
    if (!next_hop) {
      const auto id = resolve(load::to_string((*text)->next_hops[line.next_hop]), spec.next_hop);
      if (!id)
        return Error{spec.file, line.line, id.error()};
      next_hop = *id;
    }
    if (auto reason = refuse(line.prefix, *next_hop))
      return Error{spec.file, line.line, std::move(*reason)};
    table.add({line.prefix, Origin::user, NextHopType::named, *next_hop, source, line.line});
  }
  return std::nullopt;
}

// Exceptions are few and small; a default among them would take everything past the firewall.
auto Builder::refuse(Prefix prefix, NameId next_hop) const -> std::optional<std::string> {
  constexpr std::uint8_t shortest = 8;
  if (prefix.length >= shortest || policy_.names[next_hop] != leave)
    return std::nullopt;
  return fmt::format(
      "{} is too much for an exception: next hop \"Internet\" takes it past the firewall, and "
      "nothing shorter than /{}",
      fib::to_string(prefix), shortest);
}

void Builder::collect_exceptions() {
  std::vector<Prefix> all;
  for (const auto& zone : policy_.zones)
    for (const auto& route : zone.table.winners())
      if (policy_.names[route.next_hop] == leave)
        all.push_back(route.prefix);
  std::ranges::sort(all);
  for (const auto prefix : all)
    if (policy_.exceptions.empty() || !policy_.exceptions.back().covers(prefix))
      policy_.exceptions.push_back(prefix);
}

auto Builder::resolve(const std::string& word, const std::string& otherwise)
    -> tl::expected<NameId, std::string> {
  if (word == "-") {
    if (otherwise.empty())
      return tl::unexpected(std::string{
          "names no next hop, and the configuration gives none for this file: write { file = \"...\", "
          "next_hop = \"...\" } in \"routes\""});
    return policy_.names.intern(otherwise);
  }
  if (config::equal_without_case(word, none))
    return policy_.names.intern(none);
  if (config::equal_without_case(word, leave)) {
    if (!policy_.config.internet || !policy_.config.internet->exit)
      return tl::unexpected(std::string{config::no_exit});
    return policy_.names.intern(leave);
  }
  if (const auto address = fib::parse_address(word))
    return resolve_address(*address);
  if (std::ranges::find(policy_.config.next_hops, word, &config::NextHop::name) ==
      policy_.config.next_hops.end()) {
    std::vector<std::string_view> known;
    std::ranges::transform(policy_.config.next_hops, std::back_inserter(known), &config::NextHop::name);
    return tl::unexpected(fmt::format("there is no next hop {} in the configuration{}",
                                      config::in_quotes(word), config::suggestion(word, known)));
  }
  return policy_.names.intern(word);
}

auto Builder::resolve_address(std::uint32_t address) -> tl::expected<NameId, std::string> {
  const config::NextHop* found = nullptr;
  for (const auto& next_hop : policy_.config.next_hops) {
    if (next_hop.members != std::vector{address})
      continue;
    if (found != nullptr)
      return tl::unexpected(fmt::format("next hop {} may be \"{}\" or \"{}\": write the name",
                                        fib::address_to_string(address), found->name, next_hop.name));
    found = &next_hop;
  }
  if (found == nullptr)
    return tl::unexpected(
        fmt::format("no next hop has {} as its only member", fib::address_to_string(address)));
  return policy_.names.intern(found->name);
}

auto Builder::read_once(const std::filesystem::path& file) -> tl::expected<const load::RouteFile*, Error> {
  if (const auto known = files_.find(file); known != files_.end())
    return &known->second;
  auto text = load::read_routes(file);
  if (!text)
    return tl::unexpected(text.error());
  return &files_.emplace(file, std::move(*text)).first->second;
}

auto Builder::place(const Route& route) const -> std::string {
  const auto& source = policy_.names[route.source];
  if (std::ranges::find(file_sources_, route.source) != file_sources_.end())
    return fmt::format("{}:{}", source, route.line);
  return fmt::format("{}:{} ({})", policy_.config.file.string(), route.line, source);
}

void Builder::warn_of_duplicates(const ZonePolicy& zone) {
  if (zone.table.duplicates() == 0)
    return;
  const auto& routes = zone.table.candidates();
  for (std::size_t i = 1; i < routes.size(); ++i) {
    const auto& last = routes[i - 1];
    const auto& before = routes[i];
    if (last.prefix == before.prefix && last.origin == before.origin)
      warn(fmt::format("{}: {} stands in zone {} again, before at {}; the last one wins", place(last),
                       fib::to_string(last.prefix), zone.name, place(before)));
  }
}

void Builder::warn_of_idle_ports() {
  const auto& config = policy_.config;
  for (const auto& port : config.ports) {
    const auto has_it = [&](const config::Zone& zone) {
      return std::ranges::find(zone.ports, port.name) != zone.ports.end();
    };
    if (std::ranges::none_of(config.zones, has_it))
      warn(fmt::format("{}:{}: port {} is in no zone: everything received on it is dropped",
                       config.file.string(), port.line, port.name));
  }
}

void Builder::warn(std::string text) {
  // A file that is named twice would repeat every line.
  constexpr std::size_t most = 20;
  if (policy_.warnings.size() < most)
    policy_.warnings.push_back(std::move(text));
  else
    ++warnings_left_out_;
}

void Builder::summarise_warnings() {
  if (warnings_left_out_ != 0)
    policy_.warnings.push_back(fmt::format("and {} more warnings", warnings_left_out_));
}

}  // namespace

const ZonePolicy* Policy::zone(std::string_view name) const {
  const auto found = std::ranges::find(zones, name, &ZonePolicy::name);
  return found == zones.end() ? nullptr : &*found;
}

auto build(config::Config config) -> tl::expected<std::shared_ptr<const Policy>, load::Error> {
  auto policy = std::make_shared<Policy>();
  policy->config = std::move(config);
  Builder builder{*policy};
  builder.warn_of_idle_ports();
  for (const auto& zone : policy->config.zones) {
    if (auto error = builder.add_zone(zone))
      return tl::unexpected(std::move(*error));
  }
  builder.collect_exceptions();
  builder.summarise_warnings();
  return policy;
}

auto read(const std::filesystem::path& file) -> tl::expected<std::shared_ptr<const Policy>, load::Error> {
  auto config = config::read(file);
  if (!config)
    return tl::unexpected(config.error());
  return build(std::move(*config));
}

}  // namespace sekisho::policy
