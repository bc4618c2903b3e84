// SPDX-License-Identifier: BSD-3-Clause
// Which members are probed, and what the kernel needs so that a probe takes the way of the traffic: out of the member's port, by the
// member, whatever the main routing table says, so that an answer means "it forwards". Pure.
//
//   rule 8300  fwmark MEMBER  table MEMBER      default by MEMBER on its port's link
//
// A probe's socket carries the member's address as its mark, and the member's table has the address as its number: nothing has to
// be remembered, and a reload or another control never gives a mark another meaning while probes are under way. The rule stands
// before those of the ports' addresses. Sockets are bound to the link besides; the source is the link's address in the member's
// subnet, which the kernel chooses.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "control/config/config.hpp"
#include "control/netlink/wanted.hpp"
#include "control/reach/members.hpp"

namespace sekisho::reach {

struct ProbeOrder {
  std::uint32_t member = 0;
  int link = 0;
  config::Probe probe;
  friend bool operator==(const ProbeOrder&, const ProbeOrder&) = default;
};

// The mark of what is sent by a member.
[[nodiscard]] constexpr auto mark_of(std::uint32_t member) noexcept -> std::uint32_t {
  return member;
}

[[nodiscard]] auto probe_stack(const config::Config& config, const netlink::Mirror& mirror)
    -> netlink::Wanted;

struct Probing {
  std::vector<ProbeOrder> orders;
  struct Refused {
    std::uint32_t member = 0;
    std::string why;  // "the kernel refuses the rule for probes of 10.0.2.10: Operation not permitted"
  };
  std::vector<Refused> refused;
};
// Of the members that are well by the kernel's word: who is sent to without the kernel's rule and route would be reached by
// another way. `members` are the configuration's.
[[nodiscard]] auto probing(const std::vector<Member>& members, const config::Config& config,
                           const netlink::Mirror& mirror) -> Probing;

}  // namespace sekisho::reach
