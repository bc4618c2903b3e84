// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <algorithm>

#include "common/base/af_xdp_mtu.hpp"
#include "common/base/prefix.hpp"
#include "control/check/place.hpp"
#include "control/check/rules.hpp"
#include "control/config/addresses.hpp"

namespace sekisho::check {
namespace {

// Of a port whose addresses are not known here nothing is said.
auto find_gateway_elsewhere(const Facts& facts) -> Offences {
  const auto& ports = facts.policy->config.ports;
  Offences result;
  for (std::size_t i = 0; i < ports.size() && i < facts.addresses.size(); ++i) {
    const auto gateway = ports[i].gateway;
    if (!gateway || !facts.addresses[i] || facts.addresses[i]->empty())
      continue;
    const auto holds = [&](const config::InterfaceAddress& own) {
      return config::subnet_of(own).covers(*gateway) && own.address != *gateway;
    };
    if (std::ranges::none_of(*facts.addresses[i], holds))
      result.push_back(
          {place(facts, ports[i].line), fmt::format("gateway {} is no neighbour on port {}",
                                                    base::address_to_string(*gateway), ports[i].name)});
  }
  return result;
}

constexpr std::uint16_t gateway_mtu = 1500;

auto find_no_companion(const Facts& facts) -> Offences {
  Offences result;
  for (const auto& port : facts.policy->config.ports)
    if (!port.has_netdev())
      result.push_back(
          {place(facts, port.line), fmt::format("the kernel has no interface of port {}", port.name)});
  return result;
}

auto find_mtu(const Facts& facts) -> Offences {
  const auto& ports = facts.policy->config.ports;
  Offences result;
  for (std::size_t i = 0; i < ports.size() && i < facts.mtus.size(); ++i)
    if (facts.mtus[i] > gateway_mtu)
      result.push_back({place(facts, ports[i].line),
                        fmt::format("port {} has an MTU of {}", ports[i].name, facts.mtus[i])});
  return result;
}

// The dataplane's usual ones.
auto find_mtu_beyond_buffers(const Facts& facts) -> Offences {
  const auto& ports = facts.policy->config.ports;
  Offences result;
  for (std::size_t i = 0; i < ports.size() && i < facts.mtus.size(); ++i) {
    const auto mtu = facts.mtus[i];
    if (!ports[i].is_af_xdp() || mtu <= base::usual_af_xdp_mtu)
      continue;
    const auto rest = mtu > base::most_af_xdp_mtu
                          ? fmt::format("more than the {} that AF_XDP takes", base::most_af_xdp_mtu)
                          : fmt::format("for which sekisho-dataplane is to be started with --mtu {}", mtu);
    result.push_back(
        {place(facts, ports[i].line), fmt::format("port {} has an MTU of {}, {}", ports[i].name, mtu, rest)});
  }
  return result;
}

auto find_no_interface(const Facts& facts) -> Offences {
  Offences result;
  for (const auto& [port, why] : facts.missing)
    result.push_back({place(facts, port->line), fmt::format("port {}: {}", port->name, why)});
  return result;
}

auto find_tags_unseen(const Facts& facts) -> Offences {
  Offences result;
  for (const auto* port : facts.on_veth)
    result.push_back({place(facts, port->line), fmt::format("port {} is an end of a veth pair", port->name)});
  return result;
}

// RFC 9293, 3.7.1: what a TCP sends that was told nothing.
constexpr unsigned default_mss = 536;
constexpr unsigned headers = 40;

auto find_strange_clamps(const Facts& facts) -> Offences {
  const auto& ports = facts.policy->config.ports;
  Offences result;
  for (std::size_t i = 0; i < ports.size(); ++i) {
    const unsigned clamp = ports[i].mss_clamp.value_or(0);
    const auto say = [&](const std::string& what) {
      result.push_back(
          {place(facts, ports[i].line), fmt::format("port {} clamps to {}, {}", ports[i].name, clamp, what)});
    };
    const auto mtu = i < facts.mtus.size() ? facts.mtus[i] : 0;
    if (clamp != 0 && mtu != 0 && clamp + headers > mtu)
      say(fmt::format("and its MTU of {} takes segments of {}", mtu, mtu - headers));
    else if (clamp != 0 && clamp < default_mss)
      say(fmt::format("which is less than {}", default_mss));
  }
  return result;
}

// Of ports whose MTU is not known here nothing is said.
auto find_different_mtus(const Facts& facts) -> Offences {
  const auto& ports = facts.policy->config.ports;
  const auto is_known = [](std::uint32_t mtu) { return mtu != 0; };
  const auto first = std::ranges::find_if(facts.mtus, is_known);
  Offences result;
  for (auto other = first; other != facts.mtus.end(); ++other) {
    const auto& port = ports[static_cast<std::size_t>(other - facts.mtus.begin())];
    if (is_known(*other) && *other != *first)
      result.push_back(
          {place(facts, port.line),
           fmt::format("port {} has an MTU of {}, and port {} of {}", port.name, *other,
                       ports[static_cast<std::size_t>(first - facts.mtus.begin())].name, *first)});
  }
  return result;
}

}  // namespace

const Rule gateway_elsewhere{
    "gateway-elsewhere", Severity::warning,
    "The kernel's own traffic from a port's addresses leaves by its gateway, which has to be on the port's "
    "subnet: else health probes and BGP are answered by another interface, or not.",
    "Write an address of the port's subnet; in Azure its router, the first host address.",
    find_gateway_elsewhere};

const Rule no_interface{
    "no-interface", Severity::warning,
    "A port whose interface is not there forwards nothing, and a reload refuses one that is new.",
    "Look for it with `ip link`, unless the configuration is for another machine. A NIC whose name changes "
    "is "
    "found by its MAC address: write device = \"af_xdp:mac:MAC\".",
    find_no_interface};

const Rule mtu_differs{
    "mtu-differs", Severity::warning,
    "A packet that one port receives and that is longer than the other's MTU is fragmented, or dropped and "
    "answered.",
    "Give the interfaces one MTU: `ip link set NAME mtu 1500`, or \"mtu\" in each [port.*].",
    find_different_mtus};

const Rule mss_clamp_strange{
    "mss-clamp-strange", Severity::warning,
    "A longest segment that does not fit the port's MTU spares no packet its fragments or its loss; one "
    "below 536 octets, which TCP "
    "takes where nothing is said, is what hosts may refuse, and makes many small packets.",
    "Write mss_clamp = \"auto\", or the MTU of the path less 40.", find_strange_clamps};

const Rule tags_unseen{"vlan-tags-unseen", Severity::note,
                       "Where the other end of a veth pair hands VLAN tags over beside its frames, as it "
                       "does unless told not to, XDP does not see them, "
                       "and transit of any VLAN is forwarded as untagged.",
                       "Let the other end write tags into its frames, which are then dropped by name: "
                       "`ethtool -K PEER txvlan off tx-vlan-stag-hw-insert off`.",
                       find_tags_unseen};

const Rule no_companion{
    "no-companion", Severity::warning,
    "ARP, ping, load balancer probes and BGP are answered by the kernel, through a port's interface: a load "
    "balancer takes an "
    "appliance out that does not answer on the NIC that it probes.",
    "Remove \"companion = false\" and \"neighbours\", unless the port is a software device of a test.",
    find_no_companion};

const Rule mtu_above_1500{
    "mtu-above-1500", Severity::warning,
    "Azure's gateways carry packets of 1,500 octets; longer ones are lost, or answered with ICMP that "
    "not everybody heeds.",
    "Leave \"mtu\" at 1500 on ports towards gateways, and so their interfaces': `ip link set NAME mtu 1500`.",
    find_mtu};

const Rule mtu_beyond_buffers{
    "mtu-beyond-buffers", Severity::note,
    "An AF_XDP port takes a packet in one buffer alone: of 1,774 octets, or of 3,498 where the dataplane is "
    "told so. What is longer is dropped; on an interface whose MTU is larger many drivers refuse XDP.",
    "Start sekisho-dataplane with the \"--mtu\" that is named; where none is, lower the interface's, `ip "
    "link "
    "set NAME mtu 3498`, or let DPDK own the NIC, whose packets may have 9,000 octets.",
    find_mtu_beyond_buffers};

}  // namespace sekisho::check
