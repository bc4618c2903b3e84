#include <fmt/format.h>

#include "control/check/place.hpp"
#include "control/check/rules.hpp"

namespace sekisho::check {
namespace {

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
  Offences result;
  for (const auto& port : facts.policy->config.ports)
    if (port.mtu > gateway_mtu)
      result.push_back(
          {place(facts, port.line), fmt::format("port {} has an MTU of {}", port.name, port.mtu)});
  return result;
}

}  // namespace

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
    "Leave \"mtu\" at 1500 on ports towards gateways.", find_mtu};

}  // namespace sekisho::check
