// SPDX-License-Identifier: BSD-3-Clause
// The verdict: does this appliance forward? One word with its reasons, from which `show state`, the health endpoint, the metrics
// and the events are made, so that none of them says anything else. Pure, over the list of what is wrong.
//
// A zone is closed when none of its ports runs, or when no packet of it could go on. Of a zone with internet = true or follow_default
// that is so when whatever its default, or both halves, lead to is down or None, by the table in force: an override or a learned
// route may lead it elsewhere than [internet] does. Of another it is so when every next hop that the configuration's routes name for it is
// down. The appliance is closed when all zones of the first kind are, or all zones if there is none; and when the dataplane is away,
// hangs or has no policy.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "control/policy/policy.hpp"
#include "control/serve/json.hpp"
#include "control/serve/problems.hpp"

namespace sekisho::serve {

// The numbers are exit codes (`show state --check`) and values (sekisho_health).
enum class Word : std::uint8_t { forwarding = 0, degraded = 1, closed = 2 };

struct Verdict {
  Word word = Word::forwarding;
  std::vector<std::string> reasons;  // short ones, each once; why it is closed before what is wrong besides

  friend bool operator==(const Verdict&, const Verdict&) = default;
};

[[nodiscard]] std::string_view to_string(Word word) noexcept;
// "degraded: firewall 1 of 2 alive"
[[nodiscard]] std::string to_string(const Verdict& verdict);

[[nodiscard]] auto judge(const policy::Policy& policy, const std::vector<Problem>& problems) -> Verdict;

// Why the appliance is closed; empty: it is not.
[[nodiscard]] auto why_closed(const policy::Policy& policy, const std::vector<Problem>& problems)
    -> std::vector<std::string>;
// Why nobody forwards at all; empty: the dataplane is there and has a policy.
[[nodiscard]] auto why_dead(const std::vector<Problem>& problems) -> std::vector<std::string>;
// Why this next hop ("Internet": the exit) forwards nothing; empty: it does.
[[nodiscard]] auto why_down(std::string_view next_hop, const std::vector<Problem>& problems)
    -> std::vector<std::string>;
// Why this port does not run; empty: it does.
[[nodiscard]] auto why_port_down(std::string_view port, const std::vector<Problem>& problems)
    -> std::vector<std::string>;
// Why nothing that comes from this zone of the policy is forwarded; empty: something is.
[[nodiscard]] auto why_closed(const config::Zone& zone, const policy::Policy& policy,
                              const std::vector<Problem>& problems) -> std::vector<std::string>;

}  // namespace sekisho::serve
