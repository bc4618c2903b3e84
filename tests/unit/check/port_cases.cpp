// SPDX-License-Identifier: BSD-3-Clause
// Ports' devices, and their MTUs.
#include <string>
#include <vector>

#include "tests/unit/check/cases.hpp"

namespace sekisho::check {

auto port_cases() -> std::vector<Case> {
  const Edit lan_of_kernel{"device = \"0000:00:04.0\"\naddress = [\"10.0.1.4/24\"]",
                           "device = \"af_xdp:lan0\"\n#"};
  const Lines kernel{"lan0 10.0.1.4/24"};
  const auto nic = [](std::string_view address, bool forwards) {
    return Files{{"nic.json", fmt::format(R"([{{"name": "nva", "enableIPForwarding": {},
        "ipConfigurations": [{{"name": "c", "properties": {{"privateIPAddress": "{}"}}}}]}}])",
                                          forwards, address)}};
  };
  return {
      {.why = "forwarding is off",
       .rule = "nic-not-forwarding",
       .expected = {"nic.json: $[0]: NIC nva with 10.0.1.4 has IP forwarding off"},
       .nics = nic("10.0.1.4", false)},
      {.why = "forwarding is on",
       .rule = "nic-not-forwarding",
       .expected = {},
       .nics = nic("10.0.1.4", true)},
      {.why = "of management",
       .rule = "nic-of-no-port",
       .expected = {"nic.json: $[0]: NIC nva with 10.0.9.4 is no port of the configuration"},
       .nics = nic("10.0.9.4", true)},
      {.why = "a port's", .rule = "nic-of-no-port", .expected = {}, .nics = nic("10.0.1.4", true)},

      {"for others, too",
       "web-open",
       {{"@azure", "[web]\nlisten = \"10.0.1.4:8088\""}},
       {"sekisho.toml:23: the page is served on 10.0.1.4: whoever reaches it sees zones, routes, next hops "
        "and dropped packets"}},
      {"everywhere",
       "web-open",
       {{"@azure", "[web]\nlisten = \"0.0.0.0:8088\""}},
       {"sekisho.toml:23: the page is served on every address of this host: whoever reaches it sees zones, "
        "routes, next hops and "
        "dropped packets"}},
      {"for this machine alone", "web-open", {{"@azure", "[web]\nlisten = \"127.0.0.2:8088\""}}, {}},

      {"on no subnet",
       "gateway-elsewhere",
       {lan_of_kernel, {"@lan", "gateway = \"10.0.9.1\""}},
       {"sekisho.toml:1: gateway 10.0.9.1 is no neighbour on port lan"},
       {},
       kernel},
      {"its router",
       "gateway-elsewhere",
       {lan_of_kernel, {"@lan", "gateway = \"10.0.1.1\""}},
       {},
       {},
       kernel},
      {"of a port",
       "member-is-own",
       {lan_of_kernel, {"[\"10.0.1.10\"]", "[\"10.0.1.4\"]"}},
       {"sekisho.toml:11: member 10.0.1.4 of next hop onprem-gateway is this appliance's own address"},
       {},
       kernel},
      {"a neighbour", "member-is-own", {lan_of_kernel}, {}, {}, kernel},

      {"nothing answers",
       "no-companion",
       {{"@lan", "companion = false"},
        {", probe = { type = \"icmp\" }", ""},
        {", probe = { type = \"icmp\" }", ""}},
       {"sekisho.toml:1: the kernel has no interface of port lan"}},
      {"an interface of another name", "no-companion", {{"@lan", "companion = \"tap0\""}}, {}},

      {"one is not here",
       "no-interface",
       {{"device = \"0000:00:04.0\"\naddress = [\"10.0.1.4/24\"]", "device = \"af_xdp:lan0\""}},
       {"sekisho.toml:1: port lan: there is no interface lan0"},
       {},
       {"eth0", "egress0"}},
      {"it is here",
       "no-interface",
       {{"device = \"0000:00:04.0\"\naddress = [\"10.0.1.4/24\"]", "device = \"af_xdp:lan0\""}},
       {},
       {},
       {"lan0"}},
      {"an end of a pair",
       "vlan-tags-unseen",
       {{"device = \"0000:00:04.0\"\naddress = [\"10.0.1.4/24\"]", "device = \"af_xdp:veth0\""}},
       {"sekisho.toml:1: port lan is an end of a veth pair"},
       {},
       {"veth0", "egress0"}},
      {"another kind of interface",
       "vlan-tags-unseen",
       {{"device = \"0000:00:04.0\"\naddress = [\"10.0.1.4/24\"]", "device = \"af_xdp:lan0\""}},
       {},
       {},
       {"lan0", "veth0"}},
      {"configured",
       "mtu-differs",
       {{"@lan", "mtu = 1400"}, {"@egress", "mtu = 1500"}},
       {"sekisho.toml:1: port lan has an MTU of 1400, and port egress of 1500"}},
      {"one that is not known", "mtu-differs", {{"@lan", "mtu = 1400"}}, {}},

      {"beyond the MTU",
       "mss-clamp-strange",
       {{"@lan", "mtu = 1400\nmss_clamp = 1361"}},
       {"sekisho.toml:1: port lan clamps to 1361, and its MTU of 1400 takes segments of 1360"}},
      {"below TCP's default",
       "mss-clamp-strange",
       {{"@lan", "mss_clamp = 535"}},
       {"sekisho.toml:1: port lan clamps to 535, which is less than 536"}},
      {"what the MTU takes", "mss-clamp-strange", {{"@lan", "mtu = 1400\nmss_clamp = 1360"}}, {}},
      {"by the MTU", "mss-clamp-strange", {{"@lan", "mtu = 1400\nmss_clamp = \"auto\""}}, {}},

      {"1501", "mtu-above-1500", {{"@lan", "mtu = 1501"}}, {"sekisho.toml:1: port lan has an MTU of 1501"}},
      {"1500", "mtu-above-1500", {{"@lan", "mtu = 1500"}}, {}},
      {"what usual buffers take",
       "mtu-beyond-buffers",
       {{"device = \"0000:00:04.0\"\naddress = [\"10.0.1.4/24\"]", "device = \"af_xdp:lan0\"\nmtu = 1774"}},
       {},
       {},
       {"lan0"}},
      {"more",
       "mtu-beyond-buffers",
       {{"device = \"0000:00:04.0\"\naddress = [\"10.0.1.4/24\"]", "device = \"af_xdp:lan0\"\nmtu = 1775"}},
       {"sekisho.toml:1: port lan has an MTU of 1775, for which sekisho-dataplane is to be started with "
        "--mtu "
        "1775"},
       {},
       {"lan0"}},
  };
}

}  // namespace sekisho::check
