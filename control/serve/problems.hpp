// SPDX-License-Identifier: BSD-3-Clause
// What is wrong at this moment: the one list that `show state`, `doctor` and the metrics begin with. Pure, over what control
// knows and what the dataplane has just answered.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "control/advertise/status.hpp"
#include "control/netlink/mirror.hpp"
#include "control/policy/policy.hpp"
#include "control/serve/history.hpp"
#include "control/serve/json.hpp"
#include "control/serve/live.hpp"
#include "control/sync/transaction.hpp"

namespace sekisho::serve {

struct Problem {
  std::string_view kind;  // one of `problem_kinds`
  bool bad = true;        // false: a warning; what works, works
  std::string subject;    // the port, next hop or file; empty: the whole
  std::string sentence;   // "next hop firewall has no living member (10.0.2.10: neighbour is FAILED)"
  std::string remedy;     // a command that mends it or tells more
  std::string reason;     // the sentence in few words: "no living member of firewall"

  friend bool operator==(const Problem&, const Problem&) = default;
};

inline constexpr std::array<std::string_view, 25> problem_kinds{
    "dataplane_down", "dataplane_hung",    "not_in_command", "no_policy",      "policy_differs",
    "port_missing",   "port_down",         "link_down",      "next_hop_down",  "next_hop_degraded",
    "guard_missing",  "reload_refused",    "files_changed",  "port_differs",   "worker_stuck",
    "frr_down",       "bgp_down",          "bgp_degraded",   "bgp_differs",    "default_not_learned",
    "learning",       "learned_not_taken", "on_trial",       "not_configured", "not_served"};

// What control knows of itself.
struct Circumstances {
  bool is_settled = true;         // no transaction is under way: what the dataplane has can be compared
  std::string not_in_command;     // why this control changes nothing; empty: it commands the dataplane
  std::string not_taken;          // why the dataplane refused the policy that runs here
  std::uint64_t transaction = 0;  // that we know of; 0: none yet
  std::map<std::string, std::string> failed_ports;  // why
  std::vector<std::string> guard;                   // what of it is missing, by the kernel's word
  std::vector<unsigned> stuck_workers;  // lcores whose workers have not polled their ports between two looks
  std::string reload_refused;           // why the last one was; empty: it was not
  std::string learned_not_taken{};      // why the dataplane refused what was learned last; empty: it did not
  std::vector<std::string> changed_files{};  // "/etc/sekisho/routes.txt has changed": since they were read
  std::vector<std::string>
      not_served{};  // "sekisho.toml:9: the page cannot be served on ...": metrics, health, the page
  const advertise::Status* bgp = nullptr;  // null: no peers are configured
  History history{};
};

struct Scene {
  const policy::Policy& policy;
  const netlink::Mirror& mirror;
  const sync::View& view;
  const Live& live;
  const Circumstances& circumstances;
};

// That nobody forwards: the dataplane is gone, or hangs.
[[nodiscard]] auto dataplane_problem(const Live& live) -> std::optional<Problem>;
// The worst first.
[[nodiscard]] auto problems(const Scene& scene) -> std::vector<Problem>;

// [{"kind": "next_hop_down", "severity": "bad", "subject": "firewall", "sentence": ..., "remedy": ...}]
[[nodiscard]] Json problems_json(const std::vector<Problem>& problems);
// "ok", "warning" or "bad": that of the worst.
[[nodiscard]] std::string_view severity_of(const std::vector<Problem>& problems);

}  // namespace sekisho::serve
