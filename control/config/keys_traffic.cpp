// SPDX-License-Identifier: BSD-3-Clause
// Ports, next hops, zones and their routes, and what is said of all of them.
#include <array>

#include "control/config/key_ranges.hpp"
#include "control/config/keys.hpp"
#include "control/config/presets.hpp"

namespace sekisho::config {
namespace {

using enum KeyType;

constexpr std::array include_keys{
    Key{.name = "include",
        .type = strings,
        .meaning = "Names of files, or patterns as in glob(7): `*` matches no `/` and no leading dot. "
                   "Relative to the "
                   "folder of sekisho.toml; in the order of this list, and those of a pattern by name. A "
                   "pattern may "
                   "match nothing.",
        .example = "[\"conf.d/*.toml\"]",
        .fallback = "[]"},
};
constexpr std::array top_keys{
    include_keys.front(),
    Key{.name = "port", .type = table, .meaning = {}, .example = {}},
    Key{.name = "next_hop", .type = table, .meaning = {}, .example = {}},
    Key{.name = "internet", .type = table, .meaning = {}, .example = {}},
    Key{.name = "azure", .type = table, .meaning = {}, .example = {}},
    Key{.name = "bgp", .type = table, .meaning = {}, .example = {}},
    Key{.name = "metrics", .type = table, .meaning = {}, .example = {}},
    Key{.name = "health", .type = table, .meaning = {}, .example = {}},
    Key{.name = "web", .type = table, .meaning = {}, .example = {}},
    Key{.name = "hook", .type = table, .meaning = {}, .example = {}},
    Key{.name = "guard", .type = table, .meaning = {}, .example = {}},
    Key{.name = "icmp", .type = table, .meaning = {}, .example = {}},
    Key{.name = "ip_options", .type = table, .meaning = {}, .example = {}},
    Key{.name = "zone", .type = table, .meaning = {}, .example = {}},
    Key{.name = "assert", .type = tables, .meaning = {}, .example = {}},
};

constexpr std::array port_keys{
    Key{.name = "device",
        .meaning =
            "The interface: `\"af_xdp:NETDEV\"`, `\"af_xdp:mac:MAC\"` or `\"af_xdp:bus:ADDRESS\"`. What DPDK "
            "owns: a PCI address, `\"vmbus:UUID\"` or a DPDK vdev string.",
        .example = "\"af_xdp:lan0\"",
        .required = true},
    Key{.name = "address",
        .type = strings,
        .meaning = "Addresses with their subnets, of a port that DPDK owns. An AF_XDP port has those of its "
                   "interface.",
        .example = "[\"10.0.1.4/24\"]",
        .fallback = "[]"},
    Key{.name = "companion",
        .type = string_or_false,
        .meaning = "The kernel's interface of a port that DPDK owns; `false`: it has none. With static "
                   "`neighbours` and "
                   "without this key it has none, either.",
        .example = "\"wan0\"",
        .fallback = "\"sk-NAME\""},
    Key{.name = "neighbours",
        .type = tables,
        .meaning =
            "Who is where on a port that the kernel has no interface of: nothing resolves addresses there.",
        .example = "[{ address = \"10.0.1.10\", mac = \"02:00:00:00:00:01\" }]"},
    Key{.name = "gateway",
        .meaning = "By which the kernel's own traffic from this port's addresses leaves.",
        .example = "\"10.0.1.1\""},
    Key{.name = "mtu",
        .type = integer,
        .meaning =
            "In bytes. An AF_XDP port takes 1,774 at most, or 3,498 with `sekisho-dataplane --mtu "
            "3498`. Without it an AF_XDP port has its interface's MTU and follows it, and one that DPDK "
            "owns has its device's, usually 1500; with it an AF_XDP port's interface is given this one, also "
            "when somebody "
            "changes it.",
        .example = "1500",
        // RFC 791: "All hosts must be prepared to accept datagrams of up to 576 octets".
        .range = KeyRange{576, 9000}},
    Key{.name = "mss_clamp",
        .type = auto_or_integer,
        .meaning =
            "What TCP connections by this port say of their longest segment is at most this, in bytes; "
            "`\"auto\"`: what the MTUs of both ports on the way take. Without it nothing is touched.",
        .example = "\"auto\"",
        // Linux takes nothing less for meant; the most is what an IPv4 packet holds.
        .range = KeyRange{88, 65495}},
    Key{.name = "host_sources",
        .type = strings,
        .meaning = "Prefixes that may send to this appliance itself by this port, besides the zones' sources "
                   "and the "
                   "port's subnets.",
        .example = "[\"192.168.100.0/24\"]",
        .fallback = "[]"},
    Key{.name = "subnet_routes",
        .meaning = "A file with the Azure route table of the subnet that this NIC is in: for checks only.",
        .example = "\"egress-udr.json\""},
    Key{.name = "subnet_table",
        .meaning = "Which of several tables in the file of `subnet_routes`.",
        .example = "\"rt-egress\""},
};

constexpr std::array neighbour_keys{
    Key{.name = "address",
        .meaning = "A host on one of the port's subnets.",
        .example = "\"10.0.1.10\"",
        .required = true},
    Key{.name = "mac", .meaning = "Its MAC address.", .example = "\"02:00:00:00:00:01\"", .required = true},
};

constexpr std::array<std::string_view, 2> hashes{"5-tuple", "addresses"};
constexpr std::array next_hop_keys{
    Key{.name = "members",
        .type = strings_and_tables,
        .meaning = "Addresses, each alone or as `{ address, weight }`.",
        .example = "[\"10.0.2.10\", { address = \"10.0.2.11\", weight = 2 }]",
        .required = true,
        .range = KeyRange{1, 64}},  // as many as one next hop has in the dataplane (decide/member.hpp)
    Key{.name = "hash",
        .meaning = "What keeps to one member: each flow, or all that two addresses say to each other.",
        .example = "\"addresses\"",
        .fallback = "\"5-tuple\"",
        .words = hashes},
    Key{.name = "probe",
        .type = table,
        .meaning =
            "How the members are asked whether they work. Without it a member is alive when its link and its "
            "neighbour entry are.",
        .example = "{ type = \"tcp\", port = 443 }"},
};

constexpr std::array member_keys{
    Key{.name = "address", .meaning = "Of the member.", .example = "\"10.0.2.11\"", .required = true},
    Key{.name = "weight",
        .type = integer,
        .meaning = "Its share of the flows among the others'. 0: it takes none, and keeps its place.",
        .example = "2",
        .fallback = "1",
        .range = KeyRange{0, 100}},
};

constexpr std::array<std::string_view, 3> probe_types{"icmp", "tcp", "http"};
constexpr std::array probe_keys{
    Key{.name = "type",
        .meaning = "An echo, a connection, or a response with `status` to `GET` of `path`.",
        .example = "\"tcp\"",
        .required = true,
        .words = probe_types},
    Key{.name = "port",
        .type = integer,
        .meaning = "tcp and http: of the member itself. Either this or `through` is needed.",
        .example = "443",
        .range = KeyRange{1, 65535}},
    Key{.name = "through",
        .type = string_or_strings,
        .meaning = "tcp and http: `\"ADDRESS:PORT\"` beyond the member; the member is well when one of them "
                   "answers. A "
                   "name instead of an address is resolved when the configuration is read, and never again; "
                   "one that "
                   "is not resolved within 3 s refuses the configuration, also when sekisho-control starts: "
                   "where the "
                   "name server is behind the firewall, write addresses.",
        .example = "[\"198.51.100.80:443\", \"203.0.113.9:443\"]",
        .range = KeyRange{1, 8}},
    Key{.name = "path", .meaning = "http: what is asked for.", .example = "\"/ready\"", .fallback = "\"/\""},
    Key{.name = "status",
        .type = integer,
        .meaning = "http: the status of a good response.",
        .example = "204",
        .fallback = "200",
        .range = KeyRange{100, 599}},
    Key{.name = "interval",
        .type = time,
        .meaning = "From one probe to the next.",
        .example = "\"1s\"",
        .fallback = "\"500ms\"",
        .range = KeyRange{50, hour}},
    Key{.name = "timeout",
        .type = time,
        .meaning = "After which a probe is lost: by default, and at most, `interval`.",
        .example = "\"250ms\"",
        .range = KeyRange{10, hour}},
    Key{.name = "down_after",
        .type = integer,
        .meaning = "So many lost in a row: the member is down.",
        .example = "5",
        .fallback = "3",
        .range = KeyRange{1, 100}},
    Key{.name = "up_after",
        .type = integer,
        .meaning = "So many answered in a row before it may come back.",
        .example = "5",
        .fallback = "3",
        .range = KeyRange{1, 100}},
    Key{.name = "hold",
        .type = time,
        .meaning =
            "And answers for this long before it gets flows again; one that is lost meanwhile begins it "
            "anew. A "
            "member of which nothing is known, as at the first start, gets flows with its first answer; and "
            "nobody waits while no other member of the next hop lives, since its packets are dropped until "
            "one "
            "does.",
        .example = "\"10s\"",
        .fallback = "\"30s\"",
        .range = KeyRange{0, 24 * hour}},
};

constexpr std::array<std::string_view, 2> installs{"default", "halves"};
constexpr std::array<std::string_view, 3> advertisements{"none", "default", "halves"};
constexpr std::array internet_keys{
    Key{.name = "via",
        .meaning = "The next hop that zones with `internet = true` get.",
        .example = "\"firewall\"",
        .required = true},
    Key{.name = "install",
        .meaning = "Whether they get 0.0.0.0/0, or 0.0.0.0/1 and 128.0.0.0/1.",
        .example = "\"default\"",
        .fallback = "\"halves\"",
        .words = installs},
    Key{.name = "advertise",
        .meaning = "What the peers of `[bgp]` are told while traffic is forwarded.",
        .example = "\"default\"",
        .fallback = "\"none\"",
        .words = advertisements},
    Key{.name = "exit",
        .type = table,
        .meaning = "Where next hop `Internet` leaves.",
        .example = "{ port = \"wan\" }"},
    Key{.name = "assert",
        .type = boolean,
        .meaning = "That each zone with `internet = true` reaches the Internet by `via`, by named exceptions "
                   "or not at "
                   "all is proved before a configuration runs; `false`: it is not.",
        .example = "false",
        .fallback = "true"},
};

constexpr std::array exit_keys{
    Key{.name = "port",
        .meaning = "The port by which it leaves, of which the kernel has an interface.",
        .example = "\"wan\"",
        .required = true},
};

constexpr std::array zone_keys{
    Key{.name = "port",
        .type = strings,
        .meaning = "The ports by which the zone's packets come.",
        .example = "[\"lan\"]",
        .required = true},
    Key{.name = "sources",
        .type = strings,
        .meaning = "Prefixes that they may come from, which no other zone has; `\"bgp\"` among them: learned "
                   "prefixes "
                   "whose next hop is behind one of these ports.",
        .example = "[\"172.16.0.0/12\"]",
        .required = true},
    Key{.name = "internet",
        .type = boolean,
        .meaning =
            "The default or its halves; and None for private space (10.0.0.0/8, 172.16.0.0/12, "
            "192.168.0.0/16, "
            "100.64.0.0/10), which is this product's own policy: what no route names does not leave by the "
            "firewall.",
        .example = "true",
        .fallback = "false"},
    Key{.name = "via",
        .meaning = "A next hop of the zone's own for its default or halves, instead of that of `[internet]`; "
                   "requires "
                   "`internet = true`.",
        .example = "\"firewall\""},
    Key{.name = "follow_default",
        .type = boolean,
        .meaning =
            "A learned 0.0.0.0/0 takes the place of the zone's default or halves; requires `\"bgp\"` among "
            "`routes`.",
        .example = "true",
        .fallback = "false"},
    Key{.name = "system_routes",
        .type = boolean,
        .meaning = "What Azure gives a subnet: `vnet` and `peerings`, private space to None, as in Azure "
                   "only while no "
                   "route of `routes` leads 0.0.0.0/0 elsewhere than to the Internet or None; no default.",
        .example = "true",
        .fallback = "false"},
    Key{.name = "vnet",
        .type = strings,
        .meaning = "The VNet's address space; required with `system_routes = true`, and for it only.",
        .example = "[\"10.1.0.0/16\"]"},
    Key{.name = "peerings",
        .type = strings,
        .meaning = "The address spaces of the VNets that it is peered with; for `system_routes = true` only.",
        .example = "[\"10.0.0.0/16\"]",
        .fallback = "[]"},
    Key{.name = "connected",
        .type = boolean,
        .meaning = "The subnets of all ports as System routes.",
        .example = "true",
        .fallback = "false"},
    Key{.name = "routes",
        .type = strings_and_tables,
        .meaning = "The zone's routes: files, `\"bgp\"` (what is learned), and tables.",
        .example = "[\"exceptions.txt\", { prefix = \"10.1.0.0/16\", next_hop = \"firewall\" }]",
        .fallback = "[]"},
};

constexpr Key table_key{
    .name = "table", .meaning = "Which of several route tables in `file`.", .example = "\"rt-spoke\""};
constexpr Key format_key{
    .name = "format",
    .meaning = "As which `file` is read where two formats fit; `sekisho formats` lists them.",
    .example = "\"text\""};
constexpr Key parameters_key{
    .name = "parameters",
    .meaning = "The file with what the deployment passes, where `file` is an ARM template.",
    .example = "\"udr.parameters.json\""};
constexpr Key peer_key{
    .name = "peer", .meaning = "Whose routes, where `file` is MRT.", .example = "\"192.0.2.1\""};
constexpr Key allow_empty_key{.name = "allow_empty",
                              .type = boolean,
                              .meaning = "That `file` has no routes is meant.",
                              .example = "true",
                              .fallback = "false"};
constexpr std::array route_keys{
    Key{.name = "prefix", .meaning = "One route.", .example = "\"10.1.0.0/16\""},
    Key{.name = "tag",
        .meaning = "The prefixes of a service tag, which `service_tags` of `[azure]` knows.",
        .example = "\"AzureMonitor\""},
    Key{.name = "preset",
        .meaning = "What a default through a firewall or on-premises breaks, by its name; `sekisho presets` "
                   "lists them "
                   "with their source and date.",
        .example = "\"kms\""},
    Key{.name = "cloud",
        .meaning = "Of `preset`, and required there.",
        .example = "\"public\"",
        .words = preset_clouds},
    Key{.name = "file",
        .meaning = "A file of routes, known by its content: text, Azure's route tables and effective routes, "
                   "Terraform, other clouds, routers, MRT.",
        .example = "\"spoke-udr.json\""},
    table_key,
    format_key,
    parameters_key,
    peer_key,
    allow_empty_key,
    Key{.name = "next_hop",
        .meaning = "A next hop's name, `\"None\"` or `\"Internet\"`. Required, but with `file`: there it is "
                   "for lines "
                   "that name none and for BGP routes whose next hop is none here.",
        .example = "\"firewall\""},
};

constexpr std::array advertised_file_keys{
    Key{.name = "file",
        .meaning = "Whose prefixes are told; their next hops do not matter.",
        .example = "\"announced.txt\"",
        .required = true},
    table_key,
    format_key,
    parameters_key,
    peer_key,
    allow_empty_key,
};

constexpr std::array assertion_keys{
    Key{.name = "name",
        .meaning = "What messages call it.",
        .example = "\"on-premises reaches the Internet through the firewall only\"",
        .fallback = "\"\""},
    Key{.name = "from",
        .meaning = "`\"zone:NAME\"`, or a prefix: whoever sends from it, in whichever zones that is.",
        .example = "\"zone:onprem\"",
        .required = true},
    Key{.name = "to",
        .type = string_or_strings,
        .meaning = "`\"internet\"`, a prefix, `\"tag:NAME\"` or `\"preset:NAME\"`.",
        .example = "\"internet\"",
        .required = true},
    Key{.name = "via",
        .type = string_or_strings,
        .meaning = "Any of these: a next hop, `\"Internet\"` (the exit), `\"dropped\"`, `\"connected\"`.",
        .example = "\"firewall\"",
        .required = true},
    Key{.name = "except",
        .type = string_or_strings,
        .meaning = "Of what is for these it does not speak; as `to`.",
        .example = "[\"preset:kms\"]"},
};

}  // namespace

namespace keys {
constinit const KeyTable top{"the configuration", {}, top_keys};
constinit const KeyTable include{
    "include",
    "Further files of the configuration, each with tables as here and without `include`. It stands before "
    "the first table, in "
    "sekisho.toml alone. A table is in one file; `[[assert]]` may be in several.",
    include_keys};
constinit const KeyTable port{
    "[port.NAME]",
    "A NIC or interface by which packets come and go. At least one is needed, and at most 32 can be.",
    port_keys};
constinit const KeyTable neighbour{"[[port.NAME.neighbours]]", "An entry of `neighbours`.", neighbour_keys};
constinit const KeyTable next_hop{
    "[next_hop.NAME]",
    "Where packets are sent: firewalls, or a router. NAME is none of Azure's next-hop types, nor `host`, "
    "`connected`, `dropped`, `host-10-0-1-7` or `bgp-10-0-1-1`.",
    next_hop_keys};
constinit const KeyTable member{"[[next_hop.NAME.members]]", "An entry of `members`.", member_keys};
constinit const KeyTable probe{"[next_hop.NAME.probe]", "How the members are asked whether they work.",
                               probe_keys};
constinit const KeyTable internet{"[internet]", "Where the Internet is.", internet_keys};
constinit const KeyTable exit{"[internet.exit]", "Where this appliance's own exit to the Internet is.",
                              exit_keys};
constinit const KeyTable zone{"[zone.NAME]", "Which sources on which ports are routed by which routes.",
                              zone_keys};
constinit const KeyTable route{"[[zone.NAME.routes]]",
                               "An entry of `routes`. It has exactly one of `prefix`, `file`, `preset` and "
                               "`tag`; `\"FILE\"` alone is short for "
                               "`{ file = \"FILE\" }`.",
                               route_keys};
constinit const KeyTable assertion{
    "[[assert]]", "A statement about all packets, proved before a configuration runs. At most 256 can be.",
    assertion_keys};
constinit const KeyTable advertised_file{"[[bgp.advertise]]", "An entry of `advertise` that is no prefix.",
                                         advertised_file_keys};
}  // namespace keys

}  // namespace sekisho::config
