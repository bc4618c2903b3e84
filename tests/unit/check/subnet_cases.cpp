// SPDX-License-Identifier: BSD-3-Clause
// The route tables of the ports' own subnets.
#include <string>
#include <vector>

#include "tests/unit/check/cases.hpp"

namespace sekisho::check {

auto subnet_cases() -> std::vector<Case> {
  return {
      {"a table that names the appliance",
       "subnet-loop",
       {egress_udr},
       {"udr.json: route r0: zone onprem means firewall for 0.0.0.0/1 and 1 more, and the subnet of port "
        "egress sends "
        "0.0.0.0/0 to 10.0.1.4, which is this appliance",
        "udr.json: route r0: zone vnet means firewall for 0.0.0.0/1 and 1 more, and the subnet of port "
        "egress sends "
        "0.0.0.0/0 to 10.0.1.4, which is this appliance"},
       {{"udr.json", udr({.routes = {{"0.0.0.0/0", "VirtualAppliance", "10.0.1.4"}}})}}},
      {"its load balancer",
       "subnet-loop",
       {egress_udr, {"@azure", "own_addresses = [\"10.0.9.9\"]"}},
       {"udr.json: route r1: zone onprem means firewall for 128.0.0.0/1, and the subnet of port egress sends "
        "128.0.0.0/1 to 10.0.9.9, which is this appliance",
        "udr.json: route r1: zone vnet means firewall for 128.0.0.0/1, and the subnet of port egress sends "
        "128.0.0.0/1 "
        "to 10.0.9.9, which is this appliance"},
       {{"udr.json", udr({.routes = {{"0.0.0.0/1", "VirtualAppliance", "10.0.2.10"},
                                     {"128.0.0.0/1", "VirtualAppliance", "10.0.9.9"}}})}}},
      {"a port by which that does not leave",
       "subnet-loop",
       {lan_udr},
       {},
       {{"udr.json", udr({.routes = {{"0.0.0.0/0", "VirtualAppliance", "10.0.1.4"}}})}}},

      {"past the firewall",
       "subnet-elsewhere",
       {egress_udr},
       {"udr.json: route r0: zone onprem means firewall for 0.0.0.0/1 and 1 more, and the subnet of port "
        "egress sends "
        "0.0.0.0/0 to Internet",
        "udr.json: route r0: zone vnet means firewall for 0.0.0.0/1 and 1 more, and the subnet of port "
        "egress sends "
        "0.0.0.0/0 to Internet"},
       {{"udr.json", udr({.routes = {{"0.0.0.0/0", "Internet"}}})}}},
      {"one of its members",
       "subnet-elsewhere",
       {egress_udr},
       {},
       {{"udr.json", udr({.routes = {{"0.0.0.0/0", "VirtualAppliance", "10.0.2.10"}}})}}},
      {"the fabric is asked",
       "subnet-elsewhere",
       {egress_udr, {"\"10.0.2.10\"", "\"10.0.2.1\""}},
       {},
       {{"udr.json", udr({.routes = {{"0.0.0.0/0", "VirtualAppliance", "10.0.5.5"}}})}}},
      {"an exception that does not leave",
       "subnet-elsewhere",
       {egress_udr, {"@onprem", R"({ prefix = "20.0.0.0/16", next_hop = "Internet" },)"}},
       {"udr.json: route r0: zone onprem means Internet for 20.0.0.0/16, and the subnet of port egress sends "
        "0.0.0.0/0 "
        "to 10.0.2.10"},
       {{"udr.json", udr({.routes = {{"0.0.0.0/0", "VirtualAppliance", "10.0.2.10"}}})}}},
      {"an exception that does",
       "subnet-elsewhere",
       {egress_udr, {"@onprem", R"({ prefix = "20.0.0.0/16", next_hop = "Internet" },)"}},
       {},
       {{"udr.json",
         udr({.routes = {{"0.0.0.0/0", "VirtualAppliance", "10.0.2.10"}, {"20.0.0.0/16", "Internet"}}})}}},
      {"a network behind the VNet's gateway",
       "subnet-elsewhere",
       {lan_udr},
       {},
       {{"udr.json",
         udr({.routes = {{"172.16.0.0/12", "VirtualNetworkGateway"}, {"10.0.0.0/16", "VnetLocal"}}})}}},
      {"a network that is dropped",
       "subnet-elsewhere",
       {lan_udr},
       {"udr.json: route r0: zone internet means onprem-gateway for 172.16.0.0/12, and the subnet of port "
        "lan sends "
        "172.0.0.0/8 to None",
        "udr.json: route r0: zone vnet means onprem-gateway for 172.16.0.0/12, and the subnet of port lan "
        "sends "
        "172.0.0.0/8 to None"},
       {{"udr.json", udr({.routes = {{"172.0.0.0/8", "None"}}})}}},

      {"by a user route",
       "udr-to-expressroute",
       {lan_udr, gateway("expressroute")},
       {"udr.json: route r0: 172.16.0.0/12 goes to VirtualNetworkGateway, and the gateway is said to be "
        "ExpressRoute's"},
       {{"udr.json", udr({.routes = {{"172.16.0.0/12", "VirtualNetworkGateway"}}})}}},
      {"a VPN gateway",
       "udr-to-expressroute",
       {lan_udr, gateway("vpn")},
       {},
       {{"udr.json", udr({.routes = {{"172.16.0.0/12", "VirtualNetworkGateway"}}})}}},
  };
}

}  // namespace sekisho::check
