// SPDX-License-Identifier: BSD-3-Clause
// Next hops and their members: weights, probes.
#include <string>
#include <vector>

#include "tests/unit/check/cases.hpp"

namespace sekisho::check {

auto member_cases() -> std::vector<Case> {
  return {
      {"in no subnet",
       "next-hop-not-connected",
       {{"10.0.1.20", "10.0.3.20"}},
       {"sekisho.toml:14: member 10.0.3.20 of next hop vnet-gateway is in no port's subnet"}},
      {"a port is not known here",
       "next-hop-not-connected",
       {{"10.0.1.20", "10.0.3.20"},
        {"device = \"0000:00:04.0\"\naddress = [\"10.0.1.4/24\"]", "device = \"af_xdp:lan0\"\n#"}},
       {}},

      {"all the same",
       "weight-without-effect",
       {{"[\"10.0.1.20\"]",
         "[{ address = \"10.0.1.20\", weight = 3 }, { address = \"10.0.1.21\", weight = 3 }]"}},
       {"sekisho.toml:14: all members of next hop vnet-gateway that take flows have weight 3"}},
      {"one is another's double",
       "weight-without-effect",
       {{"[\"10.0.1.20\"]", "[\"10.0.1.20\", { address = \"10.0.1.21\", weight = 2 }]"}},
       {}},

      {"nobody asks it",
       "arp-only",
       {{", probe = { type = \"tcp\", port = 443 }", ""}},
       {"sekisho.toml:10: next hop firewall has no probe: a dead member is never noticed there"}},
      {"the fabric's own router",
       "arp-only",
       {{"\"10.0.1.10\"], probe = { type = \"icmp\" }", "\"10.0.1.1\"]"}},
       {}},
      {"not on Azure",
       "arp-only",
       {{", probe = { type = \"tcp\", port = 443 }", ""},
        {"[azure]\ncloud = \"public\"\nservice_tags = \"tags.json\"", "#\n#\n#"}},
       {}},

      {"two behind a port",
       "one-path",
       {{"\"10.0.2.10\"", "\"10.0.2.10\", \"10.0.2.11\""}},
       {"sekisho.toml:10: members 10.0.2.10 and 10.0.2.11 of next hop firewall are both behind port egress"}},
      {"one behind each", "one-path", {{"\"10.0.2.10\"", "\"10.0.2.10\", \"10.0.1.30\""}}, {}},

      {"of a zone, and beside the appliance",
       "probe-inside",
       {{"port = 443", "through = [\"172.16.0.80:80\", \"10.0.2.80:80\", \"198.51.100.80:80\"]"}},
       {"sekisho.toml:10: probe target 172.16.0.80 of next hop firewall is in 172.16.0.0/12, a source of "
        "zone onprem",
        "sekisho.toml:10: probe target 10.0.2.80 of next hop firewall is in 10.0.0.0/16, a source of zone "
        "vnet"}},
      {"beyond", "probe-inside", {{"port = 443", "through = \"198.51.100.80:80\""}}, {}},

      {"an exception",
       "probe-elsewhere",
       {{"port = 443", "through = \"198.51.100.80:80\""},
        {"@onprem", R"({ prefix = "198.51.100.80/32", next_hop = "vnet-gateway" },)"}},
       {"sekisho.toml:10: zone onprem sends probe target 198.51.100.80 to vnet-gateway, not to firewall"}},
      {"the way of the traffic", "probe-elsewhere", {{"port = 443", "through = \"198.51.100.80:80\""}}, {}},

      {"contradicting, and slow",
       "probe-times",
       {{"port = 443", "port = 443, interval = \"5s\", hold = \"5s\""}},
       {"sekisho.toml:10: \"hold\" 5s of next hop firewall is over before \"up_after\" 3 answers have come, "
        "which "
        "takes 10s",
        "sekisho.toml:10: flows stay on a dead member of next hop firewall for up to 20050ms"}},
      {"no hold at all", "probe-times", {{"port = 443", "port = 443, hold = \"0s\""}}, {}},
  };
}

}  // namespace sekisho::check
