// SPDX-License-Identifier: BSD-3-Clause
#include "control/serve/changes.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <tuple>
#include <utility>

#include "common/base/prefix.hpp"

namespace sekisho::serve {
namespace {

// A problem that goes on may have another sentence; of those without a subject there may be several.
bool is_same(const Problem& a, const Problem& b) {
  return a.kind == b.kind && a.subject == b.subject && (!a.subject.empty() || a.sentence == b.sentence);
}

bool has(const std::vector<Problem>& problems, const Problem& problem) {
  return std::ranges::any_of(problems, [&](const Problem& each) { return is_same(each, problem); });
}

auto problem_event(const Problem& problem, bool begins) -> events::Event {
  return {.kind = "problem",
          .sentence = begins ? problem.sentence : "over: " + problem.sentence,
          .details = {{"state", begins ? "begins" : "ends"},
                      {"kind", problem.kind},
                      {"severity", problem.bad ? "bad" : "warning"},
                      {"subject", problem.subject.empty() ? Json(nullptr) : Json(problem.subject)}}};
}

auto member_event(const config::Config& config, const reach::Member& member) -> events::Event {
  std::vector<std::string> next_hops;
  for (const auto& next_hop : config.next_hops) {
    if (std::ranges::find(next_hop.members, member.address) != next_hop.members.end()) {
      next_hops.push_back(next_hop.name);
    }
  }
  const auto address = base::address_to_string(member.address);
  return {.kind = "member",
          .sentence = fmt::format("member {} of {} is {}: {}", address, fmt::join(next_hops, ", "),
                                  member.alive ? "alive" : "dead", member.why),
          .details = {
              {"member", address}, {"next_hops", next_hops}, {"alive", member.alive}, {"why", member.why}}};
}

}  // namespace

auto verdict_event(const Verdict& verdict, std::optional<Word> before) -> events::Event {
  return {.kind = std::string{events::verdict_kind},
          .sentence = to_string(verdict),
          .details = {{"verdict", to_string(verdict.word)},
                      {"reasons", verdict.reasons},
                      {"before", before ? Json(to_string(*before)) : Json(nullptr)}}};
}

auto changes(const std::optional<Judged>& before, const Judged& now) -> std::vector<events::Event> {
  std::vector<events::Event> result;
  if (!before || before->verdict != now.verdict) {
    result.push_back(verdict_event(now.verdict, before ? std::optional{before->verdict.word} : std::nullopt));
  }
  const auto known = before ? before->problems : std::vector<Problem>{};
  for (const auto& problem : now.problems) {
    if (!has(known, problem)) {
      result.push_back(problem_event(problem, true));
    }
  }
  for (const auto& problem : known) {
    if (!has(now.problems, problem)) {
      result.push_back(problem_event(problem, false));
    }
  }
  return result;
}

auto changes(const config::Config& config, const std::vector<reach::Member>& before,
             const std::vector<reach::Member>& now) -> std::vector<events::Event> {
  std::vector<events::Event> result;
  for (const auto& member : now) {
    const auto old = std::ranges::find(before, member.address, &reach::Member::address);
    if (old != before.end() && old->alive != member.alive) {
      result.push_back(member_event(config, member));
    }
  }
  return result;
}

auto reload_event(const tl::expected<Reloaded, std::string>& result) -> events::Event {
  if (!result) {
    return {.kind = "reload",
            .sentence = "a reload was refused: " + result.error(),
            .details = {{"applied", false}, {"transaction", nullptr}, {"why", result.error()}}};
  }
  const auto transaction = result->committed.transaction();
  return {.kind = "reload",
          .sentence = result->applied
                          ? fmt::format("the configuration was reloaded: transaction {}", transaction)
                          : "the configuration was read; the dataplane gets it when it is there",
          .details = {{"applied", result->applied},
                      {"transaction", result->applied ? Json(transaction) : Json(nullptr)},
                      {"why", nullptr}}};
}

auto trial_event(std::string_view outcome, std::string sentence) -> events::Event {
  return {.kind = "trial", .sentence = std::move(sentence), .details = {{"outcome", outcome}}};
}

namespace {

auto why_withdrawn(const advertise::Status& status) -> std::vector<std::string> {
  if (!status.why_not.empty()) {
    return status.why_not;
  }
  return {status.failure ? status.failure->sentence : "nothing is configured to be advertised"};
}

}  // namespace

auto advertise_event(bool is_announced, const advertise::Status& status) -> events::Event {
  auto prefixes = Json::array();
  for (const auto prefix : status.prefixes) {
    prefixes.push_back(base::to_string(prefix));
  }
  const auto why = is_announced ? std::vector<std::string>{} : why_withdrawn(status);
  return {.kind = "advertise",
          .sentence = is_announced ? "BGP peers are told to send traffic here"
                                   : fmt::format("BGP peers are told to send no traffic here: {}",
                                                 fmt::join(why, "; ")),
          .details = {{"advertised", is_announced}, {"prefixes", prefixes}, {"why", why}}};
}

auto drain_event(bool is_draining) -> events::Event {
  return {.kind = "drain",
          .sentence = is_draining ? "the appliance is being drained: health probes get 503"
                                  : "the appliance is not drained any more",
          .details = {{"draining", is_draining}}};
}

auto drain_event(const DrainRequest& request) -> events::Event {
  const auto member = base::address_to_string(request.member);
  return {
      .kind = "drain",
      .sentence = fmt::format("member {} of next hop {} {}", member, request.next_hop,
                              request.drained ? "is drained: it takes no flow" : "is not drained any more"),
      .details = {{"next_hop", request.next_hop}, {"member", member}, {"drained", request.drained}}};
}

}  // namespace sekisho::serve
