// SPDX-License-Identifier: BSD-3-Clause
// What has changed between two looks at this appliance, as events: the verdict, what is wrong, and each member of a next hop. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "control/config/config.hpp"
#include "control/events/event.hpp"
#include "control/reach/members.hpp"
#include "control/serve/backend.hpp"
#include "control/serve/problems.hpp"
#include "control/serve/verdict.hpp"

namespace sekisho::serve {

struct Judged {
  Verdict verdict;
  std::vector<Problem> problems;
};

// {"event": "verdict", "verdict": "degraded", "reasons": [...], "before": "forwarding"}; "before" is null the first time
[[nodiscard]] auto verdict_event(const Verdict& verdict, std::optional<Word> before) -> events::Event;

// The verdict's, if word or reasons are others, then {"event": "problem", "state": "begins", "kind": "link_down", ...} or "ends"
// for each problem that has come or gone. Without `before` all that there is has come.
[[nodiscard]] auto changes(const std::optional<Judged>& before, const Judged& now)
    -> std::vector<events::Event>;

// {"event": "member", "member": "10.0.2.10", "next_hops": ["firewall"], "alive": false, "why": "neighbour is FAILED"} for each that
// both have and that is alive in one alone.
[[nodiscard]] auto changes(const config::Config& config, const std::vector<reach::Member>& before,
                           const std::vector<reach::Member>& now) -> std::vector<events::Event>;

// {"event": "reload", "applied": true, "transaction": 7}; or false, with "why"
[[nodiscard]] auto reload_event(const tl::expected<Reloaded, std::string>& result) -> events::Event;
// {"event": "advertise", "advertised": false, "prefixes": ["0.0.0.0/1", "128.0.0.0/1"], "why": ["no living member of firewall"]}
[[nodiscard]] auto advertise_event(bool is_announced, const advertise::Status& status) -> events::Event;
// {"event": "trial", "outcome": "begun"}: "confirmed", "taken back"
[[nodiscard]] auto trial_event(std::string_view outcome, std::string sentence) -> events::Event;
// {"event": "drain", "draining": true}
[[nodiscard]] auto drain_event(bool is_draining) -> events::Event;
// {"event": "drain", "next_hop": "firewall", "member": "10.0.2.11", "drained": true}
[[nodiscard]] auto drain_event(const DrainRequest& request) -> events::Event;

}  // namespace sekisho::serve
