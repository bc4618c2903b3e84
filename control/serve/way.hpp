// SPDX-License-Identifier: BSD-3-Clause
// What a policy decides about one flow: decide.hpp's questions, answered from configuration and, where somebody has asked it, the
// kernel. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "control/policy/policy.hpp"
#include "control/serve/explain.hpp"
#include "control/sync/kernel_routes.hpp"
#include "dataplane/decide/decide.hpp"
#include "dataplane/decide/member.hpp"

namespace sekisho::serve {

// Where a zone's table leads.
struct Way {
  std::string next_hop;  // as the policy calls it; empty: no route
  decide::Action action = decide::Action::no_route;
  std::vector<decide::Member> members;  // sorted by address
  decide::MemberMask living = 0;        // of them; all when nobody knows
  packet::HashBy hash_by{};
  std::vector<route::Route> covering;     // the policy's routes of the destination, the winner first
  std::vector<sync::KernelRoute> kernel;  // the kernel's, the longest first, without own addresses
  bool by_kernel = false;                 // the first of those wins
};

class PolicyWorld {
 public:
  using Zone = const policy::ZonePolicy*;
  using NextHop = Way;
  struct Member {
    decide::Action action;
    std::optional<std::uint32_t> address;
  };

  // `port`: by which the packet comes in; null: any that the source's zone allows. All outlive it.
  PolicyWorld(const policy::Policy& policy, const World& world, const config::Port* port);

  [[nodiscard]] decide::Source<Zone> source(std::uint32_t address) const;
  [[nodiscard]] bool carries(Zone zone) const;
  [[nodiscard]] const decide::HostPort* host() const { return port_ == nullptr ? nullptr : &host_; }
  [[nodiscard]] decide::WaysToKernel ways() const;
  [[nodiscard]] Way next_hop(Zone zone, std::uint32_t destination) const;
  [[nodiscard]] Member member(const Way& way, const packet::Flow& flow) const;
  [[nodiscard]] decide::Egress egress(const Member& member) const;
  [[nodiscard]] const decide::IcmpPolicy& icmp() const { return icmp_; }

  // The port that has the address; null: none, or nobody knows.
  [[nodiscard]] const config::Port* owner_of(std::uint32_t address) const;

 private:
  void lead_to(Way& way, const std::string& next_hop) const;
  [[nodiscard]] bool lives(const config::NextHop& next_hop, std::uint32_t member) const;

  const policy::Policy& policy_;
  const World& world_;
  const config::Port* port_;
  decide::HostPort host_;
  decide::IcmpPolicy icmp_;
};
static_assert(decide::Askable<PolicyWorld>);

// One of the kernel's goes before the policy's of the same prefix: otherwise it would not be there.
[[nodiscard]] bool goes_before(const sync::KernelRoute& route, const std::vector<route::Route>& covering,
                               std::size_t index);

}  // namespace sekisho::serve
