// SPDX-License-Identifier: BSD-3-Clause
#include "control/serve/problems.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "common/base/prefix.hpp"
#include "control/events/event.hpp"
#include "control/policy/learned.hpp"
#include "control/route/internet.hpp"
#include "control/serve/port_findings.hpp"
#include "control/sync/agreement.hpp"
#include "control/sync/objects.hpp"

namespace sekisho::serve {
namespace {

class Finder {
 public:
  explicit Finder(const Scene& scene) : scene_(scene) {}

  auto find() && -> std::vector<Problem> {
    add_dataplane();
    add_guard();
    for (const auto& port : scene_.policy.config.ports) {
      add_port(port);
    }
    for (const auto& next_hop : scene_.policy.config.next_hops) {
      add_next_hop(next_hop);
    }
    add_exit();
    add_bgp();
    add_learning();
    add_reload();
    add_history();
    for (const auto& each : scene_.circumstances.not_served) {
      const bool is_taken = each.ends_with("Address already in use");
      warn("not_served", "", each + "; it is tried again", is_taken ? "ss -ltnp" : "");
    }
    std::ranges::stable_sort(found_, std::ranges::greater{}, &Problem::bad);
    return std::move(found_);
  }

 private:
  void add(Problem problem) {
    if (problem.reason.empty()) {
      problem.reason = problem.sentence;
    }
    found_.push_back(std::move(problem));
  }
  void bad(std::string_view kind, std::string subject, std::string sentence, std::string remedy,
           std::string reason = {}) {
    add({kind, true, std::move(subject), std::move(sentence), std::move(remedy), std::move(reason)});
  }
  void warn(std::string_view kind, std::string subject, std::string sentence, std::string remedy,
            std::string reason = {}) {
    add({kind, false, std::move(subject), std::move(sentence), std::move(remedy), std::move(reason)});
  }

  void add_dataplane() {
    if (auto problem = dataplane_problem(scene_.live)) {
      add(std::move(*problem));
      return;
    }
    const auto& state = scene_.live.state;
    const auto& now = scene_.circumstances;
    add_stuck_workers(*state);
    if (!now.not_in_command.empty()) {
      bad("not_in_command", "",
          fmt::format("this sekisho-control does not command the dataplane, and changes nothing: {}",
                      now.not_in_command),
          "systemctl status sekisho-control", "this sekisho-control does not command the dataplane");
      return;
    }
    if (!now.not_taken.empty()) {
      bad("policy_differs", "", fmt::format("the dataplane has not taken the policy: {}", now.not_taken),
          "journalctl -u sekisho-control", "the dataplane has not taken the policy");
    } else if (state->transaction() == 0) {
      bad("no_policy", "", "the dataplane has no policy: nothing is forwarded",
          "journalctl -u sekisho-control", "the dataplane has no policy");
    } else if (now.is_settled) {
      add_difference(*state, now.transaction);
    }
  }

  // The dataplane's main thread answers, and those that forward do not run.
  void add_stuck_workers(const ipc::State& state) {
    const auto& stuck = scene_.circumstances.stuck_workers;
    if (stuck.empty()) {
      return;
    }
    const auto sentence =
        fmt::format("the dataplane's worker on lcore {} does not poll its ports", fmt::join(stuck, ", "));
    constexpr auto remedy = "systemctl restart sekisho-dataplane; journalctl -u sekisho-dataplane";
    if (stuck.size() == static_cast<std::size_t>(state.lcores_size())) {
      bad("dataplane_hung", "", sentence + ": nothing is forwarded", remedy,
          "no worker of the dataplane runs");
    } else {
      bad("worker_stuck", "", sentence, remedy,
          fmt::format("worker {} does not run", fmt::join(stuck, ", ")));
    }
  }

  void add_difference(const ipc::State& state, std::uint64_t transaction) {
    auto difference = sync::disagreement(state, sync::objects(scene_.policy, scene_.view));
    if (!difference && state.transaction() != transaction) {
      difference = fmt::format("it is at transaction {}, and the last of this sekisho-control was {}",
                               state.transaction(), transaction);
    }
    if (difference) {
      bad("policy_differs", "", "the dataplane has not what it was told: " + *difference, "sekisho reload",
          "the dataplane has not what it was told");
    }
  }

  void add_guard() {
    for (const auto& missing : scene_.circumstances.guard) {
      bad("guard_missing", "", missing, "sekisho guard status; sekisho guard on");
    }
  }

  void add_port(const config::Port& port) {
    const auto found = scene_.mirror.find_link_of(port);
    const auto* link = found.value_or(nullptr);
    const auto look = "sekisho show ports";
    if (port.has_netdev() && link == nullptr) {
      bad("port_missing", port.name, fmt::format("port {}: {}", port.name, found.error()), look);
      return;
    }
    if (const auto why = not_running(port.name)) {
      bad("port_down", port.name, fmt::format("port {} does not run: {}", port.name, *why), look);
    }
    if (link != nullptr && !link->up) {
      bad("link_down", port.name, fmt::format("port {}: link {} is down", port.name, link->name), look);
    }
    for (const auto& finding : port_findings(port, scene_.mirror, state_of(port.name))) {
      warn("port_differs", port.name, finding, look);
    }
  }

  auto state_of(const std::string& name) const -> const ipc::PortState* {
    if (!scene_.live.state) {
      return nullptr;
    }
    const auto& ports = scene_.live.state->ports();
    const auto state = std::ranges::find(ports, name, &ipc::PortState::name);
    return state == ports.end() ? nullptr : &*state;
  }

  // By the dataplane's word, once it has been told of ports at all.
  auto not_running(const std::string& name) const -> std::optional<std::string> {
    if (const auto failed = scene_.circumstances.failed_ports.find(name);
        failed != scene_.circumstances.failed_ports.end()) {
      return failed->second;
    }
    if (!scene_.live.state || scene_.live.state->transaction() == 0) {
      return std::nullopt;
    }
    const auto* state = state_of(name);
    if (state == nullptr) {
      return "the dataplane does not know it";
    }
    return state->running()
               ? std::nullopt
               : std::optional(state->error().empty() ? std::string("it is being opened") : state->error());
  }

  void add_next_hop(const config::NextHop& next_hop) {
    std::vector<std::string> dead;
    std::vector<std::string> drained;
    std::size_t alive = 0;
    for (const auto& member : scene_.view.members) {
      if (std::ranges::find(next_hop.members, member.address) == next_hop.members.end()) {
        continue;
      }
      if (!sync::takes_flows(next_hop, member.address, scene_.view)) {
        drained.push_back(fmt::format("{}: drained", base::address_to_string(member.address)));
      } else if (member.alive) {
        ++alive;
      } else {
        dead.push_back(fmt::format("{}: {}", base::address_to_string(member.address), member.why));
      }
    }
    alive = std::min(alive, alive_in_dataplane(next_hop.name).value_or(alive));
    // What somebody has taken out is missed only when there is nothing else.
    const auto all = next_hop.members.size() - drained.size();
    if (alive == all && alive != 0) {
      return;
    }
    if (alive == 0) {
      dead.insert(dead.end(), drained.begin(), drained.end());
    }
    const auto reasons = dead.empty() ? "the dataplane says so" : fmt::format("{}", fmt::join(dead, ", "));
    const auto look = "sekisho show next-hops";
    if (alive == 0) {
      bad("next_hop_down", next_hop.name,
          fmt::format("next hop {} has no living member ({})", next_hop.name, reasons), look,
          fmt::format("no living member of {}", next_hop.name));
    } else {
      warn("next_hop_degraded", next_hop.name,
           fmt::format("next hop {} has {} of {} members alive ({})", next_hop.name, alive, all, reasons),
           look, fmt::format("{} {} of {} alive", next_hop.name, alive, all));
    }
  }

  auto alive_in_dataplane(const std::string& name) const -> std::optional<std::size_t> {
    if (scene_.live.state) {
      for (const auto& state : scene_.live.state->next_hops()) {
        if (state.next_hop().name() == name) {
          return state.alive_members();
        }
      }
    }
    return std::nullopt;
  }

  void add_exit() {
    if (const auto& exit = scene_.view.exit; exit && !exit->ready) {
      bad("next_hop_down", std::string(policy::leave), "next hop Internet is down: " + exit->why,
          "sekisho show next-hops");
    }
  }

  // Traffic that comes is forwarded all the same; without BGP none comes.
  void add_bgp() {
    const auto* bgp = scene_.circumstances.bgp;
    if (bgp == nullptr) {
      return;
    }
    const auto look = "sekisho show bgp";
    if (bgp->failure) {
      bad("frr_down", "", bgp->failure->sentence, "systemctl status frr; sekisho doctor",
          "FRR does not serve");
      return;
    }
    if (bgp->asked_unix_ms == 0) {
      return;  // it has not had the time to answer
    }
    std::vector<std::string> down;
    for (const auto& session : bgp->sessions) {
      if (!session.is_established) {
        down.push_back(fmt::format("{}: {}", base::address_to_string(session.peer.address), session.state));
      }
    }
    if (down.size() == bgp->sessions.size()) {
      bad("bgp_down", "", fmt::format("no BGP session is established ({})", fmt::join(down, ", ")), look,
          "no BGP session");
    } else if (!down.empty()) {
      warn("bgp_degraded", "",
           fmt::format("{} of {} BGP sessions are established ({})", bgp->sessions.size() - down.size(),
                       bgp->sessions.size(), fmt::join(down, ", ")),
           look);
    }
    if (bgp->is_settled && !bgp->agrees()) {
      bad("bgp_differs", "",
          bgp->is_wanted ? "FRR does not originate what is to be advertised"
                         : "FRR originates what is not to be advertised",
          look);
    }
  }

  // The route in force for just this prefix, whoever it is from.
  auto route_for(const std::string& zone, base::Prefix prefix) const -> const route::Route* {
    const auto& table = scene_.policy.zone(zone)->table;
    const auto& routes = table.candidates();
    const auto found = std::ranges::lower_bound(routes, prefix, {}, &route::Route::prefix);
    return found != routes.end() && found->prefix == prefix && table.wins(*found) ? &*found : nullptr;
  }

  // An operator's, too: by it the zone forwards.
  auto has_default(const std::string& zone) const -> bool {
    const auto leads_on = [&](base::Prefix prefix) {
      const auto* route = route_for(zone, prefix);
      return route != nullptr && scene_.policy.names[route->next_hop] != policy::none;
    };
    return leads_on(route::default_route) || std::ranges::all_of(route::halves, leads_on);
  }

  auto why_no_default(const std::string& zone) const -> std::string {
    if (route_for(zone, route::default_route) != nullptr) {
      return "a route for 0.0.0.0/0 that goes before it leads to None";
    }
    const auto& taken = scene_.policy.taken;
    if (taken != nullptr && !taken->learned->routes.empty() &&
        taken->learned->routes.front().prefix == route::default_route) {
      if (const auto why = taken->why_not(taken->learned->routes.front()); !why.empty()) {
        return "the one that is learned is not taken (" + why + ")";
      }
    }
    return "none is learned";
  }

  void add_learning() {
    const auto& config = scene_.policy.config;
    for (const auto& zone : config.zones) {
      if (zone.follow_default && !zone.internet && !has_default(zone.name)) {
        bad("default_not_learned", zone.name,
            fmt::format("zone {} follows a learned default, and {}: what has no other route is dropped",
                        zone.name, why_no_default(zone.name)),
            "sekisho show learned", fmt::format("no default is learned for zone {}", zone.name));
      }
    }
    if (const auto& why = scene_.circumstances.learned_not_taken; !why.empty()) {
      bad("learned_not_taken", "", "the dataplane has not taken what is learned: " + why,
          "journalctl -u sekisho-control", "the dataplane has not taken what is learned");
    }
    const auto& taken = scene_.policy.taken;
    if (taken == nullptr) {
      return;
    }
    const auto& learned = *taken->learned;
    for (const auto& problem : learned.problems) {
      warn("learning", "", problem, "sekisho show learned");
    }
    if (learned.held != 0) {
      warn("learning", "",
           fmt::format("{} learned routes are held: their daemon is gone or has not caught up", learned.held),
           "sekisho show learned", fmt::format("{} learned routes are held", learned.held));
    }
    if (learned.in_excess != 0) {
      warn("learning", "",
           fmt::format("{} prefixes are not learned: there are max_prefixes = {} already", learned.in_excess,
                       config.bgp->learning.max_prefixes),
           "sekisho show learned", fmt::format("{} prefixes are not learned", learned.in_excess));
    }
    for (const auto& note : taken->notes) {
      warn("learning", "", note, "sekisho show learned");
    }
  }

  void add_reload() {
    if (const auto& refused = scene_.circumstances.reload_refused; !refused.empty()) {
      bad("reload_refused", "", "the last reload was refused: " + refused, "sekisho reload --dry-run",
          "the last reload was refused");
    } else if (!scene_.circumstances.history.pinned) {
      for (const auto& file : scene_.circumstances.changed_files) {
        warn("files_changed", "", file + ": what runs is what was read before", "sekisho reload --dry-run");
      }
    }
  }

  // Whoever looks at the configuration must hear that it is not what runs, or not what is started.
  void add_history() {
    const auto& history = scene_.circumstances.history;
    if (!history.pinned) {
      return;
    }
    const auto policy = fmt::format("policy {} of the history", *history.pinned);
    const auto& file = history.configuration.native();
    if (history.confirm_until_unix_ms) {
      warn("on_trial", "",
           fmt::format("the last reload is on trial: {} is put back at {} unless it is confirmed", policy,
                       events::time_text(*history.confirm_until_unix_ms)),
           "sekisho confirm; sekisho rollback", "the last reload is on trial");
    } else if (!history.why_not_back.empty()) {
      bad("on_trial", "",
          fmt::format("the last reload was not confirmed, and {} is not put back yet: {}", policy,
                      history.why_not_back),
          "sekisho rollback; sekisho reload", policy + " is not put back");
    } else if (history.is_taken_back) {
      warn("on_trial", "", policy + " is being put back: the last reload was not confirmed",
           "sekisho history", policy + " is being put back");
    } else if (history.runs != history.pinned) {
      bad("not_configured", file,
          fmt::format("{} is to be started instead of {}, and does not run", policy, file),
          "journalctl -u sekisho-control; sekisho rollback; sekisho reload", policy + " does not run");
    } else {
      warn("not_configured", file, fmt::format("{} runs, and is started, instead of {}", policy, file),
           "sekisho reload --dry-run; sekisho reload", policy + " runs");
    }
  }

  const Scene& scene_;
  std::vector<Problem> found_;
};

}  // namespace

auto dataplane_problem(const Live& live) -> std::optional<Problem> {
  constexpr auto remedy = "systemctl restart sekisho-dataplane; journalctl -u sekisho-dataplane";
  if (!live.connected) {
    return Problem{"dataplane_down",
                   true,
                   "",
                   "the dataplane is not running: nothing is forwarded",
                   remedy,
                   "the dataplane is not running"};
  }
  if (!live.state || !live.error.empty()) {
    return Problem{"dataplane_hung",
                   true,
                   "",
                   "the dataplane does not answer: " + live.error,
                   remedy,
                   "the dataplane does not answer"};
  }
  return std::nullopt;
}

auto problems(const Scene& scene) -> std::vector<Problem> {
  return Finder(scene).find();
}

Json problems_json(const std::vector<Problem>& problems) {
  auto result = Json::array();
  for (const auto& problem : problems) {
    result.push_back({{"kind", problem.kind},
                      {"severity", problem.bad ? "bad" : "warning"},
                      {"subject", problem.subject.empty() ? Json(nullptr) : Json(problem.subject)},
                      {"reason", problem.reason},
                      {"sentence", problem.sentence},
                      {"remedy", problem.remedy}});
  }
  return result;
}

std::string_view severity_of(const std::vector<Problem>& problems) {
  return problems.empty() ? "ok" : problems.front().bad ? "bad" : "warning";
}

}  // namespace sekisho::serve
