// SPDX-License-Identifier: BSD-3-Clause
// sekisho.toml as types. Reads that file and those that it includes; the route files that they name are read by policy/.
//
// Lines are counted through: an included file's go on behind those of the file before it. So one number says file and line, whatever
// has a `line` stays small, and what stands first has the smaller one. Config::at() makes a place of it for people.
//
// A configuration is either whole or refused: the first error names file, line and reason. A key this version
// does not know is an error, never ignored.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "common/base/error.hpp"
#include "common/base/prefix.hpp"
#include "common/base/stamp.hpp"
#include "control/config/probe.hpp"
#include "control/route/next_hop_type.hpp"

namespace sekisho::config {

// What next hop `Internet` needs and a configuration lacks.
inline constexpr std::string_view no_exit =
    "next hop \"Internet\" needs to know where to leave: write exit = { port = \"...\" } in [internet]";

// What a next hop's name begins with that is made for what is learned; its members' addresses follow.
inline constexpr std::string_view learned_next_hop = "bgp-";

// The interface by which the dataplane hands the kernel what leaves through it or is for another port's address.
inline constexpr std::string_view exit_netdev = "sekisho0";

struct InterfaceAddress {  // "10.0.1.4/24": an address and the subnet it is in
  std::uint32_t address = 0;
  std::uint8_t length = 0;
  friend auto operator<=>(const InterfaceAddress&, const InterfaceAddress&) = default;
};

struct StaticNeighbour {
  std::uint32_t address = 0;
  std::array<std::uint8_t, 6> mac{};
  friend bool operator==(const StaticNeighbour&, const StaticNeighbour&) = default;
};

// By what a port names its interface of the kernel.
struct NetdevId {
  enum class By : std::uint8_t { name, mac, bus };
  By by = By::name;
  std::string_view text;  // the interface's name, its MAC address, or its device's address on a bus
};

struct Port {
  std::string name;
  // "af_xdp:NETDEV", "af_xdp:mac:MAC", "af_xdp:bus:ADDRESS"; or what DPDK owns: a PCI address, "vmbus:UUID", or a vdev
  // string.
  std::string device;
  std::vector<InterfaceAddress> addresses;  // of what DPDK owns; an AF_XDP port has what its netdev has
  std::vector<StaticNeighbour> neighbours;  // of a port without a companion: nothing resolves them there
  std::string companion;                 // the TAP through which the kernel has what DPDK owns; empty: none
  std::optional<std::uint32_t> gateway;  // of the kernel's own traffic from this port's addresses
  std::uint16_t mtu = 0;                 // 0: the device's own
  // The Azure route table (UDR) of the subnet that this NIC is in: forwarded packets meet it next. Only checked.
  std::filesystem::path subnet_routes;
  std::string subnet_table;                // which of several tables in it; empty: the only one
  std::vector<base::Prefix> host_sources;  // that may speak to this appliance here, besides zones and subnets
  // What TCP's SYN segments that come or go by this port may say of the longest segment: at most this, or (0) what the MTUs of both
  // ports on the way take. None: they say what they like.
  std::optional<std::uint16_t> mss_clamp;
  unsigned line = 0;

  [[nodiscard]] bool is_af_xdp() const;
  // Whether the kernel has an interface with this port's addresses: an AF_XDP port's device, or the companion. Which
  // link that is now: netlink::Mirror::link_of.
  [[nodiscard]] bool has_netdev() const;
  // How the configuration names it, which is the kernel's name for it only if that is what it is named by: "lan0",
  // "mac:00:0d:3a:aa:bb:cc".
  [[nodiscard]] std::optional<std::string> netdev() const;
  // Of this port, which it must not outlive.
  [[nodiscard]] std::optional<NetdevId> netdev_id() const;
  friend bool operator==(const Port&, const Port&) = default;
};

enum class Hash : std::uint8_t { five_tuple, addresses };

struct NextHop {
  std::string name;
  std::vector<std::uint32_t> members;  // sorted, distinct, at least one
  unsigned line = 0;
  std::optional<Probe> probe = {};  // none: a member is alive when its link and its neighbour entry are
  unsigned probe_line = 0;
  std::map<std::uint32_t, unsigned> weights = {};  // up to 100; of a member that is not here: 1
  Hash hash = Hash::five_tuple;

  // 0: it takes no flows.
  [[nodiscard]] unsigned weight_of(std::uint32_t member) const {
    const auto found = weights.find(member);
    return found == weights.end() ? 1 : found->second;
  }
  friend bool operator==(const NextHop&, const NextHop&) = default;
};

enum class Install : std::uint8_t { default_route, halves };
enum class Advertise : std::uint8_t { none, default_route, halves };

struct Internet {
  std::string via;  // names a next hop
  Install install = Install::halves;
  Advertise advertise = Advertise::none;
  std::optional<std::string> exit;  // the port by which next hop `Internet` leaves, masqueraded
  bool asserted = true;  // that zones reach the Internet by `via` and named exceptions only is proved
  unsigned line = 0;
  friend bool operator==(const Internet&, const Internet&) = default;
};

// An entry of a zone's `routes`, in the order of the file.
struct RouteSpec {
  enum class Kind : std::uint8_t { prefix, file, preset, tag };
  Kind kind = Kind::prefix;
  base::Prefix prefix;  // Kind::prefix
  std::filesystem::path
      file;            // Kind::file: absolute, or relative to the configuration's folder and made absolute
  std::string preset;  // Kind::preset: "kms"
  std::string cloud;   // Kind::preset: "public", "usgov", "china"
  std::string tag;     // Kind::tag: a service tag of [azure].service_tags
  std::optional<std::uint32_t> peer;  // Kind::file, MRT: whose routes
  bool allow_empty = false;           // Kind::file: one without routes is meant
  std::string table;                  // Kind::file: which of several tables, by its name; empty: the only one
  std::filesystem::path parameters;   // Kind::file, ARM template: what its deployment passes; empty: nothing
  std::string format;                 // Kind::file: as which it is read; empty: its content tells
  std::string
      next_hop;  // a name of [next_hop.*], "None" or "Internet"; of a file: what a line without one means, or empty
  unsigned line = 0;
  friend bool operator==(const RouteSpec&, const RouteSpec&) = default;
};

struct Zone {
  std::string name;
  std::vector<std::string> ports;
  std::vector<base::Prefix> sources;
  bool internet = false;  // gets the default or the halves, and Azure's None routes for private space
  // Azure's System routes of a subnet in a VNet with these prefixes: VnetLocal for each, VNetPeering for each of `peerings`,
  // the None routes for private space. Its default to the Internet is not among them: `internet` says where that goes.
  bool system_routes = false;
  std::vector<base::Prefix> vnet;
  std::vector<base::Prefix> peerings;
  bool connected =
      false;  // gets the ports' subnets: a host there is reached without a next hop that has it as a member
  std::vector<RouteSpec> routes;
  // Learned prefixes whose next hop is behind one of the zone's ports are sources, too ("bgp" among `sources`).
  bool learned_sources = false;
  bool learned_routes = false;  // learned routes are in the zone's table ("bgp" among `routes`)
  bool follow_default = false;  // a learned 0.0.0.0/0 takes the place of the zone's default or halves
  std::string via;              // a next hop of its own for those; empty: [internet].via
  unsigned line = 0;

  [[nodiscard]] bool reaches_internet() const { return internet || follow_default; }
  friend bool operator==(const Zone&, const Zone&) = default;
};

// What an assertion calls a packet's end: no next hop, and one of the host's own networks.
inline constexpr std::string_view dropped = "dropped";
inline constexpr std::string_view connected = "connected";

// Where packets are for, of which an assertion speaks.
struct Destination {
  enum class Kind : std::uint8_t { internet, prefix, tag, preset };
  Kind kind = Kind::prefix;
  base::Prefix prefix = {};  // Kind::prefix
  std::string name = {};     // of the service tag or preset
  unsigned line = 0;
  friend bool operator==(const Destination&, const Destination&) = default;
};

// [[assert]]: whatever comes from there and is for one of these goes one of these ways.
struct Assertion {
  std::string name;  // empty: it has none
  std::string zone;  // whose packets; empty: those from `from`
  base::Prefix from;
  std::vector<Destination> to;      // at least one
  std::vector<Destination> except;  // of which it does not speak
  std::vector<std::string> via;     // at least one: a next hop's name, "Internet", "None" or "connected"
  unsigned line = 0;
  friend bool operator==(const Assertion&, const Assertion&) = default;
};

// Who carries our default to on-premises networks: what it lets through decides what may be advertised.
enum class Gateway : std::uint8_t { unknown, expressroute, vpn, virtual_wan };

struct Azure {
  std::filesystem::path service_tags;  // empty: none; a route to a tag is an error then
  std::string cloud = "public";        // "usgov", "china": whose KMS set must be whole
  Gateway gateway = Gateway::unknown;
  // What is this appliance for a route table besides its ports' own addresses: its load balancer's frontends. Sorted.
  std::vector<std::uint32_t> own_addresses;
  // What Azure's next-hop types are here: names of [next_hop.*]. Never VirtualAppliance, Internet or None.
  std::map<route::NextHopType, std::string> next_hops;
  unsigned line = 0;
  friend bool operator==(const Azure&, const Azure&) = default;
};

// What a peer is: what it needs and bears (control/advertise/preset.hpp).
enum class PeerPreset : std::uint8_t {
  generic,
  azure_route_server,
  azure_vwan_hub,
  aws_route_server,
  gcp_cloud_router
};
[[nodiscard]] std::string_view to_string(PeerPreset preset) noexcept;

struct BgpPeer {
  std::uint32_t address = 0;
  std::uint32_t asn = 0;
  unsigned line = 0;
  PeerPreset preset = PeerPreset::generic;
  unsigned prepend = 0;                        // how often our AS number stands in the path besides once
  std::optional<std::uint32_t> next_hop = {};  // that is advertised instead of our own address
  friend bool operator==(const BgpPeer&, const BgpPeer&) = default;
};

// When is advertised, and when not any more.
struct Advertising {
  std::chrono::milliseconds withdraw_after{0};      // since nothing is forwarded
  std::chrono::milliseconds advertise_after{5000};  // since something is
  std::chrono::milliseconds dead_after{30'000};     // since sekisho-control is gone, and the dataplane is not
  friend bool operator==(const Advertising&, const Advertising&) = default;
};

// Which of the kernel's routes are learned.
struct Learning {
  std::uint32_t table = 100;  // the kernel's, and never main or local
  std::vector<std::uint8_t> protocols{
      186};  // by which a daemon marks its routes; sorted, distinct, at least one. RTPROT_BGP
  std::size_t max_prefixes = 10'000;        // what is more is refused
  std::chrono::milliseconds hold{120'000};  // for which routes stay that went with their daemon
  friend bool operator==(const Learning&, const Learning&) = default;
};

// The number of a protocol as `ip route` shows it, "bgp" or "186"; nothing: it is none, or one of the kernel's own.
[[nodiscard]] auto route_protocol(std::string_view text) -> std::optional<std::uint8_t>;
// "bgp", or the number where it has no name.
[[nodiscard]] auto route_protocol_name(std::uint8_t protocol) -> std::string;

// FRR speaks it; sekisho-control tells FRR what to advertise.
struct Bgp {
  std::uint32_t asn = 0;  // 0: without peers
  std::vector<BgpPeer> peers;
  std::string frr;  // FRR's instance, as `vtysh -N NAME` has it; empty: the host's one
  Learning learning;
  Advertising advertising;
  std::optional<std::uint32_t> router_id;  // none: FRR chooses one of the host's addresses
  std::vector<RouteSpec> advertise;        // prefixes and files besides [internet].advertise; no next hops
  // For which peers are asked to keep what they were told while FRR is restarted (RFC 4724); 0: they are not asked.
  std::chrono::seconds graceful_restart{0};
  unsigned line = 0;
  friend bool operator==(const Bgp&, const Bgp&) = default;
};

// Where who asks over HTTP is told.
struct Listen {
  std::uint32_t address = 0;  // 0.0.0.0: all of the host's
  std::uint16_t port = 0;
  unsigned line = 0;
  friend bool operator==(const Listen&, const Listen&) = default;
};

// What must work for this appliance to be healthy.
struct Requirement {
  enum class Kind : std::uint8_t { internet, exit, next_hop, zone };
  Kind kind = Kind::internet;
  std::string name;  // of the next hop or zone
  friend bool operator==(const Requirement&, const Requirement&) = default;
};

// As the configuration has it: "zone:onprem".
[[nodiscard]] std::string to_string(const Requirement& requirement);

struct Health {
  std::vector<Listen> listen;                       // at least one
  std::optional<std::vector<Requirement>> require;  // none: that the verdict is not "closed"
  friend bool operator==(const Health&, const Health&) = default;
};

// The page for people, and what it asks.
struct Web {
  Listen listen;
  std::vector<std::string> hosts;  // that it may be called besides its address and localhost; in lower case
  friend bool operator==(const Web&, const Web&) = default;
};

// A program that is told what changes.
struct Hook {
  std::filesystem::path on_change;  // absolute
  unsigned line = 0;
  friend bool operator==(const Hook&, const Hook&) = default;
};

// What the kernel may forward besides what leaves by the exit.
struct Guard {
  bool whole_host = true;          // nothing; else, among the interfaces of `allow`
  std::vector<std::string> allow;  // names; sorted
  friend bool operator==(const Guard&, const Guard&) = default;
};

// What the sender of a packet that goes no further is told.
enum class IcmpAnswer : std::uint8_t { none, net_unreachable, host_unreachable, prohibited };

struct Icmp {
  bool errors = true;  // false: nothing, of whatever
  IcmpAnswer null_route = IcmpAnswer::prohibited;
  IcmpAnswer no_route = IcmpAnswer::net_unreachable;
  IcmpAnswer next_hop_down = IcmpAnswer::net_unreachable;
  IcmpAnswer no_neighbour = IcmpAnswer::host_unreachable;
  IcmpAnswer refused_source = IcmpAnswer::none;
  std::uint32_t rate = 1000;  // errors a second of each worker
  std::uint32_t rate_per_source = 50;
  std::uint8_t source_prefix = 24;  // how long the prefixes are to which that many go
  friend bool operator==(const Icmp&, const Icmp&) = default;
};

enum class OptionHandling : std::uint8_t { fill, ignore, drop };

// Of IPv4 packets that are forwarded.
struct IpOptions {
  bool source_routes_pass = false;
  OptionHandling record_route = OptionHandling::fill;
  OptionHandling timestamp = OptionHandling::fill;
  friend bool operator==(const IpOptions&, const IpOptions&) = default;
};

struct IncludedFile {
  base::Stamp read;     // as it was before it was read
  unsigned before = 0;  // lines of the files before it
  friend bool operator==(const IncludedFile& a, const IncludedFile& b) {
    return a.read.file == b.read.file && a.before == b.before;
  }
};

struct Config {
  std::filesystem::path file;
  std::vector<std::string> include;    // patterns, as written
  std::vector<IncludedFile> included;  // in the order in which they were read
  std::vector<Port> ports;             // each list sorted by name
  std::vector<NextHop> next_hops;
  std::optional<Internet> internet;
  std::vector<Zone> zones;
  Azure azure;  // as if there were an empty [azure]
  std::optional<Bgp> bgp;
  std::optional<Listen> metrics;      // none: served nowhere
  std::optional<Health> health;       // likewise
  std::optional<Web> web;             // likewise
  std::optional<Hook> hook;           // none: nobody is told
  Guard guard;                        // as if there were an empty [guard]
  Icmp icmp;                          // likewise
  IpOptions ip_options;               // likewise
  std::vector<Assertion> assertions;  // in the order of the file

  // In its own file, as that counts; 0 is the configuration as a whole.
  [[nodiscard]] base::Error at(unsigned line, std::string reason = {}) const;
  // As a message about line `from` calls another: "line 12", or with its file when that is another one.
  [[nodiscard]] std::string line_seen_from(unsigned from, unsigned line) const;
  // Where the default or the halves of a zone with `internet = true` lead to.
  [[nodiscard]] const std::string& via_of(const Zone& zone) const {
    return zone.via.empty() ? internet->via : zone.via;
  }
  // Whether a zone asks for what is learned.
  [[nodiscard]] bool learns() const;
  // From and to which the kernel must not forward whatever [guard] says: every port's that the configuration knows
  // by the name, and `sekisho0`. Sorted.
  [[nodiscard]] std::vector<std::string> guarded_netdevs() const;
  friend bool operator==(const Config&, const Config&) = default;
};

// Where it includes files by names that begin with "/", those are beneath `root`: a copy of the history has all its files there.
[[nodiscard]] auto read(const std::filesystem::path& file, const std::filesystem::path& root = {})
    -> tl::expected<Config, base::Error>;
// The same, refused when the file does not answer for `patience`: its mount may hang. The thread that hangs with it is left
// behind (common/base/detached_read.hpp says what that means for the end of the process).
[[nodiscard]] auto read_within(std::chrono::milliseconds patience, const std::filesystem::path& file,
                               const std::filesystem::path& root = {}) -> tl::expected<Config, base::Error>;
// Of this text alone: what it includes is not looked for.
[[nodiscard]] auto parse(std::string_view text, const std::filesystem::path& file)
    -> tl::expected<Config, base::Error>;

}  // namespace sekisho::config
