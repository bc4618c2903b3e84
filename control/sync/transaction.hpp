// SPDX-License-Identifier: BSD-3-Clause
// From policy and the kernel's state to what the dataplane is told. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/prefix.hpp"
#include "control/netlink/netlink.hpp"
#include "control/policy/policy.hpp"
#include "control/reach/connected.hpp"
#include "control/reach/exit.hpp"
#include "control/reach/members.hpp"
#include "dataplane.pb.h"

namespace sekisho::sync {

// Next hops that every policy has, whatever it names: a packet for one of our own addresses that comes in by
// another port belongs to the kernel, not to the firewall; and an Azure route of type None.
inline constexpr std::string_view host_next_hop = "host";
inline constexpr std::string_view drop_next_hop = "none";
// Of a policy with a zone that wants the ports' subnets.
inline constexpr std::string_view connected_next_hop = "connected";
// Of a policy with an exit: `Internet`.
inline constexpr std::string_view exit_next_hop = "internet";

// Members that an operator has taken out of their next hop for now: its name, and the member.
using Drained = std::set<std::pair<std::string, std::uint32_t>>;

// What of the kernel's state the dataplane is told, and of what operators said at run time.
struct View {
  struct PortAddresses {
    std::string port;
    std::string instance;                    // of an AF_XDP port's netdev: its index and MAC
    std::vector<std::uint32_t> local;        // unicast and broadcast
    std::string device = {};                 // as the dataplane is told; empty: as configured
    int link = 0;                            // of an AF_XDP port that has its interface: the index
    std::uint32_t mtu = 0;                   // and the MTU of it
    std::vector<base::Prefix> subnets = {};  // of the unicast addresses; sorted, each once
    std::uint32_t primary = 0;               // the first address; 0: none
    friend bool operator==(const PortAddresses&, const PortAddresses&) = default;
  };
  struct Host {  // on a port's subnet, and usable: among the members, too
    std::string next_hop;
    std::string port;
    std::uint32_t address = 0;
    friend bool operator==(const Host&, const Host&) = default;
  };
  std::vector<reach::Member> members;
  std::vector<PortAddresses> ports;    // as in config
  std::vector<std::uint32_t> unicast;  // of all ports, sorted and distinct
  std::vector<reach::Connected> connected;
  std::vector<Host> hosts;  // sorted by address
  std::optional<reach::Exit> exit;
  Drained drained = {};
};
// Whether flows of the next hop go to the member if it lives: by its weight, and by what an operator said.
[[nodiscard]] inline bool takes_flows(const config::NextHop& next_hop, std::uint32_t member,
                                      const View& view) {
  return next_hop.weight_of(member) != 0 && !view.drained.contains({next_hop.name, member});
}
// An AF_XDP port's: "3 02:00:00:00:00:01"; and how often it has returned, if it has.
[[nodiscard]] auto instance_of(const netlink::Link& link, const netlink::Mirror& mirror) -> std::string;
[[nodiscard]] auto view(const config::Config& config, const netlink::Mirror& mirror,
                        const reach::Inherited& inherited = {}, const std::set<std::uint32_t>& hosts = {})
    -> View;

// The full transaction, in pieces that fit a frame: what exists afterwards is exactly this.
[[nodiscard]] auto full(const policy::Policy& policy, const View& view) -> std::vector<ipc::Change>;

// What changes between two views while the policy stays: link, address and neighbour events. Empty when
// nothing does.
[[nodiscard]] auto incremental(const policy::Policy& policy, const View& before, const View& after)
    -> std::vector<ipc::Change>;

// From one policy to another in as few changes as there are, for a dataplane that has exactly `before`, as this view says:
// an incremental transaction. What both have is not named; empty when that is everything.
[[nodiscard]] auto between(const policy::Policy& before, const View& before_view, const policy::Policy& after,
                           const View& after_view) -> std::vector<ipc::Change>;

}  // namespace sekisho::sync
