// SPDX-License-Identifier: BSD-3-Clause
// What a configuration means, before the kernel is asked: each zone's route table, with every file read and
// every preset unfolded. Built whole or refused with file, line and reason; immutable afterwards, so that a
// refused reload leaves the running one as it was.
//
// A zone's table, as candidates:
//   System  168.63.129.16/32 and 169.254.169.254/32 to None: "always the host's", no default or half captures them;
//           with `internet = true` the default or its halves to [internet].via, and Azure's None routes for private
//           space (10/8, 172.16/12, 192.168/16, 100.64/10); with `system_routes = true` those and the VNet's own
//   BGP     what a file says was learned (effective routes, MRT), and what is learned at run time (control/policy/learned.hpp)
//   User    the zone's `routes`, in order, service tags unfolded; then what an operator changed at run time
//
// Next hops: a name is the configuration's; an Azure type is what [azure.next_hop] binds it to; an address is the next hop
// with that only member, several the one with exactly these, and one that is our own or our load balancer's means
// [internet].via. A type that nothing binds is an error which names the route. A BGP route whose next hop is none here has the
// one that the configuration gives for its file.
//
// Effective routes bring Azure's own System routes along. Its default to the Internet, and whatever else of them leaves to
// the Internet, would go past the firewall: they are left out with a warning, as are those of a type that nothing binds. BGP
// leads nothing to the Internet either. Only User routes do.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "common/base/error.hpp"
#include "common/base/prefix.hpp"
#include "control/config/config.hpp"
#include "control/formats/route_file.hpp"
#include "control/route/route_table.hpp"

namespace sekisho::policy {

inline constexpr std::string_view none = "None";  // the next hop that drops
inline constexpr std::string_view leave =
    "Internet";  // the next hop that leaves through this appliance's kernel

// The source of routes that an operator changed at run time.
inline constexpr std::string_view override_source = "sekisho route";

struct ZonePolicy {
  std::string name;
  std::vector<std::string> ports;
  std::vector<base::Prefix> sources;
  route::RouteTable table;
  std::vector<route::Route> withdrawn;  // User routes that an override took out of the table
  bool connected = false;               // wants the ports' subnets, which the kernel knows
};

// What a source's name means that is a route file's: "/etc/sekisho/udr.json DefaultRoute".
struct FileSource {
  std::filesystem::path file;
  std::string label;  // the route's name in Azure; empty: it has none
};

// A file that the configuration names, as far as checks ask for it.
struct LoadedFile {
  std::filesystem::path file;
  std::filesystem::path parameters;  // of an ARM template; empty: none
  formats::Format format = formats::Format::text;
  std::size_t routes = 0;  // prefixes, those of service tags not among them
  std::vector<formats::TableSummary> tables;
  std::vector<std::string> tags;  // of routes to service tags
};

// Routes of a file that nobody wrote, left out because nothing may or can be their next hop.
struct LeftOut {
  std::filesystem::path file;
  route::Origin origin = route::Origin::system;
  route::NextHopType type = route::NextHopType::none;
  base::Prefix first;
  std::size_t count = 0;
};

// Next hops of a file's learned routes of which it is not known whether they are this appliance: the first of them with the
// first of its routes, and where that goes.
struct MaybeOwn {
  std::filesystem::path file;
  std::uint32_t address = 0;
  base::Prefix prefix;
  std::string next_hop;
  std::string interfaces;  // whose addresses are not known: "lan0, lan1"
  std::size_t count = 0;
};

// What building met and the tables do not show, for the linter (control/check) to judge.
struct Oddities {
  std::vector<base::Finding> files;  // warnings of readers
  std::vector<base::Finding> tags;   // of service tags that are routed
  std::vector<LeftOut> left_out;
  std::vector<MaybeOwn> maybe_own;
};

// A change of the running state that no file has: until the next reload.
struct Override {
  std::string zone;
  base::Prefix prefix;
  std::optional<std::string> next_hop;  // none: the zone's User routes of this prefix are gone
  friend bool operator==(const Override&, const Override&) = default;
};

struct Taken;  // control/policy/learned.hpp

// Destinations, with service tags and presets unfolded.
struct Destinations {
  bool internet = false;  // what that is: control/prove/prove.hpp
  std::vector<base::Prefix> prefixes;
};

// An [[assert]] of the configuration, which has the rest of it.
struct Assertion {
  Destinations to;
  Destinations except;
};

struct Policy {
  config::Config
      config;  // of what is learned it has the next hops, and a followed default as the zone's `via`
  route::Names names;
  std::map<route::NameId, FileSource> file_sources;
  std::vector<ZonePolicy> zones;  // as in config
  // What next hop `Internet` is for, in any zone: sorted, none covers another.
  std::vector<base::Prefix> exceptions;
  std::vector<base::Prefix>
      advertised;  // what BGP peers are to be told, once this forwards: sorted, distinct
  std::vector<LoadedFile> files;
  std::vector<Assertion> assertions;   // as in config
  std::vector<Override> overrides;     // a zone's prefix stands once
  std::shared_ptr<const Taken> taken;  // of what is learned; null: nothing
  Oddities oddities;
  std::vector<std::string>
      warnings;  // the linter's, where one was asked: "sekisho.toml:3: port lan is in no zone..."

  [[nodiscard]] const ZonePolicy* zone(std::string_view name) const;
};

// The kernel's addresses of an AF_XDP port; nullopt: not known here. A route table's VirtualAppliance may be one of them.
using InterfaceAddresses =
    std::function<std::optional<std::vector<config::InterfaceAddress>>(const config::Port& port)>;

// Says what is probably not meant, a sentence each.
using Lint = std::function<std::vector<std::string>(const Policy& policy)>;

// Without `addresses` nothing is known of any interface.
[[nodiscard]] auto build(config::Config config, const InterfaceAddresses& addresses = {})
    -> tl::expected<std::shared_ptr<const Policy>, base::Error>;
// The same policy with these overrides instead of its own (of two of a zone's prefix the last counts); no file is read again.
// The error is one sentence: no such zone, next hop, or route to delete.
[[nodiscard]] auto with_overrides(const Policy& policy, std::vector<Override> overrides)
    -> tl::expected<std::shared_ptr<const Policy>, std::string>;
// config::read, then build.
[[nodiscard]] auto read(const std::filesystem::path& file, const InterfaceAddresses& addresses = {})
    -> tl::expected<std::shared_ptr<const Policy>, base::Error>;

// Why no daemon may run with it: it asks for what cannot be.
[[nodiscard]] auto refuse_to_run(const Policy& policy) -> std::optional<base::Error>;
// build and read, for a daemon.
[[nodiscard]] auto build_to_run(config::Config config, const InterfaceAddresses& addresses,
                                const Lint& lint = {})
    -> tl::expected<std::shared_ptr<const Policy>, base::Error>;
[[nodiscard]] auto read_to_run(const std::filesystem::path& file, const InterfaceAddresses& addresses)
    -> tl::expected<std::shared_ptr<const Policy>, base::Error>;

}  // namespace sekisho::policy
