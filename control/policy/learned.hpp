// SPDX-License-Identifier: BSD-3-Clause
// What a policy takes of what is learned: routes for zones with "bgp" among their `routes`, sources for those with "bgp" among their
// `sources`, and a default for those with follow_default. Pure.
//
// The problem is trust: whoever speaks BGP with this appliance could have it send everything past the firewall, admit whom nobody
// may be, or capture what belongs to the host. So much is not taken, and each refusal has its sentence:
//
//   as a route    martians; 168.63.129.16 and 169.254.0.0/16; what is within a port's own subnet; what is shorter than /8, but
//                 0.0.0.0/0 where a zone follows it (halves that are learned back would otherwise win against the zone's own
//                 default); what leads to a gateway on no port's subnet, to this appliance itself, or to IPv6
//   as a source   the same, and 0.0.0.0/0; what lies within a source that is configured for another zone, unless that is shorter
//                 than /8 and stands for the Internet: the longest source decides whose a host is. Of a prefix around a port's
//                 subnet, 168.63.129.16 or 169.254.0.0/16 these stay whose they were
//
// A gateway is a member of a next hop: of the configured one that has exactly these members, else of one that is made for it and
// called "bgp-10-0-1-1". A blackhole is a route to None; one for 0.0.0.0/0 is no default to follow, since nothing would be
// forwarded by it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/prefix.hpp"
#include "control/policy/policy.hpp"
#include "control/route/learned.hpp"

namespace sekisho::policy {

// What the kernel knows of a port.
struct LearnedPort {
  std::string name;
  int link = 0;                        // its interface; 0: there is none
  std::vector<base::Prefix> subnets;   // of its addresses
  std::vector<std::uint32_t> unicast;  // its addresses
  friend bool operator==(const LearnedPort&, const LearnedPort&) = default;
};

// Why it is not taken at all, by what the prefix is.
enum class Refusal : std::uint8_t { none, martian, host_address, too_short, connected };
[[nodiscard]] std::string to_string(Refusal refusal);
[[nodiscard]] auto refusal(base::Prefix prefix, const std::vector<LearnedPort>& ports) -> Refusal;

// Next hops that are made for what is learned: no more than this.
inline constexpr std::size_t most_learned_next_hops = 256;
// Sources of all zones that are learned: no more than this.
inline constexpr std::size_t most_learned_sources = 100'000;

// What became of what was learned.
struct Taken {
  struct Way {
    std::string next_hop;         // empty: none, `why` says why
    std::set<std::string> ports;  // behind which its gateways are
    std::string why;              // also where some of its gateways are left out
  };
  std::shared_ptr<const Policy> plain;  // the policy without it
  std::shared_ptr<const route::Learned> learned;
  std::vector<LearnedPort> ports;
  std::vector<Way> ways;           // as in `learned`
  std::size_t routes = 0;          // that some zone's table has
  std::size_t sources = 0;         // of all zones
  std::size_t refused = 0;         // routes that are not taken
  std::set<std::string> follows;   // zones whose default is learned
  std::vector<std::string> notes;  // what else is not taken, and why: a sentence each

  // Why no zone's table has the route; empty: it may.
  [[nodiscard]] std::string why_not(const route::LearnedRoute& route) const;
};

// The same policy with this instead of what it took before; `learned` null, or no zone that asks for it: with nothing.
[[nodiscard]] auto with_learned(const std::shared_ptr<const Policy>& policy,
                                const std::shared_ptr<const route::Learned>& learned,
                                const std::vector<LearnedPort>& ports) -> std::shared_ptr<const Policy>;
// The policy without what was learned.
[[nodiscard]] auto plain(const std::shared_ptr<const Policy>& policy) -> std::shared_ptr<const Policy>;

}  // namespace sekisho::policy
