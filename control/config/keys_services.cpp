// SPDX-License-Identifier: BSD-3-Clause
// Azure, BGP, who is told how the appliance does, and what the host and the dataplane do besides routing.
#include <array>
#include <limits>

#include "control/config/key_ranges.hpp"
#include "control/config/keys.hpp"
#include "control/config/presets.hpp"

namespace sekisho::config {
namespace {

using enum KeyType;

constexpr std::array<std::string_view, 3> gateways{"expressroute", "vpn", "virtual-wan"};
constexpr std::array azure_keys{
    Key{.name = "service_tags",
        .meaning =
            "Microsoft's file of service tags, or what `az network list-service-tags` prints; compressed or "
            "not.",
        .example = "\"ServiceTags_Public.json\""},
    Key{.name = "cloud",
        .meaning = "Whose activation servers must be reached, and whose presets assertions mean.",
        .example = "\"usgov\"",
        .fallback = "\"public\"",
        .words = preset_clouds},
    Key{.name = "gateway",
        .meaning = "What carries this appliance's default to on-premises networks: for checks.",
        .example = "\"expressroute\"",
        .words = gateways},
    Key{.name = "own_addresses",
        .type = strings,
        .meaning =
            "What is this appliance for a route table besides its ports' addresses: its load balancer's "
            "frontends.",
        .example = "[\"10.0.2.100\"]",
        .fallback = "[]"},
    Key{.name = "next_hop",
        .type = table,
        .meaning = "What Azure's next-hop types are here.",
        .example = "{ VnetLocal = \"firewall\" }"},
};

constexpr std::string_view bound = "The next hop of this configuration that it is.";
constexpr std::string_view bound_example = "\"firewall\"";
constexpr std::array azure_next_hop_keys{
    Key{.name = "VirtualNetworkGateway", .meaning = bound, .example = bound_example},
    Key{.name = "VnetLocal", .meaning = bound, .example = bound_example},
    Key{.name = "VNetPeering", .meaning = bound, .example = bound_example},
    Key{.name = "VNetGlobalPeering", .meaning = bound, .example = bound_example},
    Key{.name = "InterfaceEndpoint", .meaning = bound, .example = bound_example},
    Key{.name = "VirtualNetworkServiceEndpoint", .meaning = bound, .example = bound_example},
    Key{.name = "ConnectedGroup", .meaning = bound, .example = bound_example},
    Key{.name = "NatGateway", .meaning = bound, .example = bound_example},
};

// RFC 7607 keeps 0 out of BGP; RFC 7300 reserves the last number.
constexpr KeyRange as_numbers{1, std::numeric_limits<std::uint32_t>::max() - 1};
constexpr std::array bgp_keys{
    Key{.name = "asn",
        .type = integer,
        .meaning = "This appliance's AS number, not 65535. Who only learns needs none.",
        .example = "65010",
        .range = as_numbers},
    Key{.name = "peer",
        .type = tables,
        .meaning = "Whom FRR speaks to. Who only learns needs none.",
        .example = "[{ address = \"10.0.3.4\", asn = 65515 }]"},
    Key{.name = "advertise",
        .type = strings_and_tables,
        .meaning = "Further prefixes that peers are told, and files of them.",
        .example = "[\"203.0.113.0/24\", { file = \"announced.txt\" }]",
        .fallback = "[]"},
    Key{.name = "router_id",
        .meaning = "An address; without it FRR takes one of the host's.",
        .example = "\"10.0.3.10\""},
    Key{.name = "frr",
        .meaning = "The name of FRR's instance, as `vtysh -N NAME` has it; without it the host's one.",
        .example = "\"wan\""},
    Key{.name = "withdraw_after",
        .type = time,
        .meaning = "How long nothing has been forwarded before peers are told so.",
        .example = "\"2s\"",
        .fallback = "\"0s\"",
        .range = KeyRange{0, hour}},
    Key{.name = "advertise_after",
        .type = time,
        .meaning = "How long something has been forwarded before peers are told so.",
        .example = "\"10s\"",
        .fallback = "\"5s\"",
        .range = KeyRange{0, hour}},
    Key{.name = "graceful_restart",
        .type = time,
        .meaning = "For how long peers are asked to keep what they were told while FRR is restarted; "
                   "`\"0s\"`: they are "
                   "not asked.",
        .example = "\"60s\"",
        .fallback = "\"0s\"",
        .range = KeyRange{0, hour}},
    Key{.name = "dead_after",
        .type = time,
        .meaning = "How long sekisho-control has been gone before what peers were told is withdrawn.",
        .example = "\"10s\"",
        .fallback = "\"30s\"",
        .range = KeyRange{1000, hour}},  // control restarts within that
    Key{.name = "table",
        .type = integer,
        .meaning =
            "The kernel's table in which learned routes are, and none of 253, 254 (main) and 255 (local).",
        .example = "101",
        .fallback = "100",
        // This appliance's own are from 830000 on (reach/host_stack.hpp, reach/probing.hpp).
        .range = KeyRange{1, 829'999}},
    Key{.name = "protocols",
        .type = strings,
        .meaning = "Whose routes are learned, as `ip route` shows it: names or numbers.",
        .example = "[\"bgp\", \"ospf\"]",
        .fallback = "[\"bgp\"]"},
    Key{.name = "max_prefixes",
        .type = integer,
        .meaning = "How many prefixes are learned: what is more is refused and counted.",
        .example = "2000",
        .fallback = "10000",
        .range = KeyRange{1, 2'000'000}},
    Key{.name = "learned_hold",
        .type = time,
        .meaning = "For how long routes stay that went with their daemon; `\"0s\"`: not at all.",
        .example = "\"60s\"",
        .fallback = "\"120s\"",
        .range = KeyRange{0, hour}},
};

constexpr std::array<std::string_view, 5> presets{"generic", "azure-route-server", "azure-vwan-hub",
                                                  "aws-route-server", "gcp-cloud-router"};
constexpr std::array peer_keys{
    Key{.name = "address", .meaning = "Of the peer.", .example = "\"10.0.3.4\"", .required = true},
    Key{.name = "asn",
        .type = integer,
        .meaning = "Its AS number, not 65535.",
        .example = "65515",
        .required = true,
        .range = as_numbers},
    Key{.name = "preset",
        .meaning =
            "`\"azure-route-server\"` (default with AS 65515), `\"azure-vwan-hub\"`: sessions over several "
            "hops, "
            "keepalive 20 s, hold time 60 s (Azure's own are 60 and 180 s, and the shorter of both sides "
            "counts). `\"aws-route-server\"`: BFD, which needs `bfdd=yes` in /etc/frr/daemons and a peer "
            "that was "
            "made with it. `\"gcp-cloud-router\"`: 20 and 60 s, as Cloud Router's own. `\"generic\"` "
            "(default "
            "with any other): FRR's own, for a peer on a subnet of this appliance.",
        .example = "\"azure-vwan-hub\"",
        .words = presets},
    Key{.name = "prepend",
        .type = integer,
        .meaning = "How often this AS number stands in the path besides once. Two appliances, one with "
                   "`prepend = 2`: "
                   "active and passive.",
        .example = "2",
        .fallback = "0",
        .range = KeyRange{0, 10}},  // as many as FRR takes in one command
    Key{.name = "next_hop",
        .meaning = "Told instead of this appliance's address: a load balancer's frontend in the VNet.",
        .example = "\"10.0.3.100\""},
};

constexpr std::array metrics_keys{
    Key{.name = "listen",
        .meaning = "Where OpenMetrics are served: an address of this host and a TCP port.",
        .example = "\"127.0.0.1:9273\"",
        .required = true},
};

constexpr std::array health_keys{
    Key{.name = "listen",
        .type = strings,
        .meaning = "Where a load balancer's probes are answered.",
        .example = "[\"10.0.1.4:8080\"]",
        .required = true},
    Key{.name = "require",
        .type = strings,
        .meaning = "What must work: any of `\"internet\"` (the next hop of `[internet]`), `\"exit\"`, "
                   "`\"next_hop:NAME\"`, `\"zone:NAME\"`. Without it: that the verdict of `sekisho show "
                   "state` is not "
                   "`closed`.",
        .example = "[\"internet\"]"},
};

constexpr std::array web_keys{
    Key{.name = "listen",
        .meaning = "Where the page is served: it has neither passwords nor encryption.",
        .example = "\"127.0.0.1:8088\"",
        .required = true},
    Key{.name = "hosts",
        .type = strings,
        .meaning =
            "Names by which browsers may call it besides `localhost` and the address that they reach it at.",
        .example = "[\"nva1.example.net\"]"},
};

constexpr std::array hook_keys{
    Key{.name = "on_change",
        .meaning = "A program that is run with each event on its standard input.",
        .example = "\"/usr/local/bin/tell-the-pager\"",
        .required = true},
};

constexpr std::array<std::string_view, 2> scopes{"host", "ports"};
constexpr std::array guard_keys{
    Key{.name = "scope",
        .meaning = "`\"host\"`: the kernel forwards for nobody but next hop `Internet`. `\"ports\"`: the "
                   "host forwards for "
                   "others, too, but never from or to what is or ever was a port.",
        .example = "\"ports\"",
        .fallback = "\"host\"",
        .words = scopes},
    Key{.name = "allow",
        .type = strings,
        .meaning = "With scope `\"ports\"`, and required there: interfaces among which the kernel may "
                   "forward, by name. "
                   "While a configured port's interface is missing, among none.",
        .example = "[\"docker0\", \"eth0\"]"},
};

constexpr std::array<std::string_view, 4> answers{"none", "net-unreachable", "host-unreachable",
                                                  "prohibited"};
constexpr std::int64_t most_a_second = 1'000'000;
constexpr std::array icmp_keys{
    Key{.name = "errors",
        .type = boolean,
        .meaning = "Who sent a packet that goes no further is told by ICMP; `false`: nobody is, of anything.",
        .example = "false",
        .fallback = "true"},
    Key{.name = "null_route",
        .meaning =
            "What is said about a destination whose route is `None`; `\"prohibited\"` is type 3, code 13.",
        .example = "\"none\"",
        .fallback = "\"prohibited\"",
        .words = answers},
    Key{.name = "no_route",
        .meaning = "About one that no route covers.",
        .example = "\"none\"",
        .fallback = "\"net-unreachable\"",
        .words = answers},
    Key{.name = "next_hop_down",
        .meaning = "About one whose next hop has no living member, or is `Internet` while the exit is down.",
        .example = "\"none\"",
        .fallback = "\"net-unreachable\"",
        .words = answers},
    Key{.name = "no_neighbour",
        .meaning = "About one on a port's subnet whose host has not answered ARP within 2.5 s.",
        .example = "\"none\"",
        .fallback = "\"host-unreachable\"",
        .words = answers},
    Key{.name = "refused_source",
        .meaning = "About a source of no zone, or of a zone that the port may not carry.",
        .example = "\"prohibited\"",
        .fallback = "\"none\"",
        .words = answers},
    Key{.name = "rate",
        .type = integer,
        .meaning = "At most so many errors a second of each worker.",
        .example = "500",
        .fallback = "1000",
        .range = KeyRange{1, most_a_second}},
    Key{.name = "rate_per_source",
        .type = integer,
        .meaning = "And of these to each source prefix.",
        .example = "10",
        .fallback = "50",
        .range = KeyRange{1, most_a_second}},
    Key{.name = "source_prefix",
        .type = integer,
        .meaning = "How long those prefixes are.",
        .example = "32",
        .fallback = "24",
        .range = KeyRange{8, 32}},
};

constexpr std::array<std::string_view, 2> passes{"drop", "ignore"};
constexpr std::array<std::string_view, 3> handlings{"fill", "ignore", "drop"};
constexpr std::array ip_options_keys{
    Key{.name = "source_route",
        .meaning = "`\"ignore\"`: packets with a source route pass as they came; nothing is routed by it.",
        .example = "\"ignore\"",
        .fallback = "\"drop\"",
        .words = passes},
    Key{.name = "record_route",
        .meaning = "`\"fill\"`: as the sender asks; `\"ignore\"`: the packet passes, the option as it came.",
        .example = "\"drop\"",
        .fallback = "\"fill\"",
        .words = handlings},
    Key{.name = "timestamp",
        .meaning = "Likewise.",
        .example = "\"ignore\"",
        .fallback = "\"fill\"",
        .words = handlings},
};

}  // namespace

namespace keys {
constinit const KeyTable azure{"[azure]", "What is Azure's.", azure_keys};
constinit const KeyTable azure_next_hop{
    "[azure.next_hop]",
    "What Azure's next-hop types are here; without one a route of that type is refused with its name.",
    azure_next_hop_keys};
constinit const KeyTable bgp{
    "[bgp]", "What FRR tells BGP peers, and what is learned from the kernel's routes.", bgp_keys};
constinit const KeyTable peer{"[[bgp.peer]]", "An entry of `peer`.", peer_keys};
constinit const KeyTable metrics{"[metrics]", "Without it they are served nowhere.", metrics_keys};
constinit const KeyTable health{"[health]", "Without it no probes are answered.", health_keys};
constinit const KeyTable web{"[web]", "The page to look at. Without it it is served nowhere.", web_keys};
constinit const KeyTable hook{"[hook]", "Without it no program is run.", hook_keys};
constinit const KeyTable guard{"[guard]", "What the kernel may forward besides what leaves by the exit.",
                               guard_keys};
constinit const KeyTable icmp{"[icmp]", "What is said of a packet that goes no further.", icmp_keys};
constinit const KeyTable ip_options{"[ip_options]", "Of IPv4 packets that are forwarded.", ip_options_keys};
}  // namespace keys

}  // namespace sekisho::config
