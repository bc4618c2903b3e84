// SPDX-License-Identifier: BSD-3-Clause
// From a parsed TOML document to a Config: each value checked by itself and against the rest of the file.
#pragma once

#include <array>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/prefix.hpp"
#include "control/config/config.hpp"
#include "control/config/document.hpp"
#include "control/config/section.hpp"

namespace sekisho::config {

// What a route's next hop may be besides a name of [next_hop.*].
inline constexpr std::string_view none = "None";
inline constexpr std::string_view leave = "Internet";  // through this appliance's own kernel

inline constexpr std::array<Word<std::string_view>, 3> clouds{{
    {"public", "public"},
    {"usgov", "usgov"},
    {"china", "china"},
}};

class Reader {
 public:
  Reader(const Document& document, Problems& problems) : problems_(problems), config_(document.files()) {}
  // What it returns is only of use when there was no problem.
  [[nodiscard]] auto read(const toml::table& root) -> Config;

 private:
  // Where something was said first, for the complaint about the second time.
  struct Owner {
    std::string name;
    unsigned line = 0;
  };

  void read_port(const NamedTable& named);
  void read_device(const Section& section, Port& port);
  void read_addresses(const Section& section, Port& port);
  void read_neighbours(const Section& section, Port& port);
  void read_companion(const Section& section, Port& port);
  void read_gateway(const Section& section, Port& port);
  void read_mss_clamp(const Section& section, Port& port);
  void read_host_sources(const Section& section, Port& port);
  void read_next_hop(const NamedTable& named);
  void read_members(const Section& section, NextHop& next_hop);
  void read_member(const Located<std::string>& address, std::optional<std::int64_t> weight,
                   NextHop& next_hop);
  void read_probe(const Section& of, NextHop& next_hop);
  void check_probes();
  void read_internet(const SingleTable& found);
  void read_exit(const Section& section, Internet& internet);
  void read_azure(const SingleTable& found);
  void read_own_addresses(const Section& section, Azure& azure);
  void read_bound_types(const Section& section, Azure& azure);
  void read_bgp(const SingleTable& found);
  [[nodiscard]] auto read_asn(const Section& section) -> std::uint32_t;
  void read_bgp_peers(const Section& section, Bgp& bgp);
  void read_peer_ways(const Section& section, BgpPeer& peer);
  void read_frr(const Section& section, Bgp& bgp);
  void read_advertising(const Section& section, Bgp& bgp);
  void read_bgp_advertise(const Section& section, Bgp& bgp);
  // Nothing when the key is missing or (a problem) no host's address.
  [[nodiscard]] auto read_host(const Section& section, std::string_view key) -> std::optional<std::uint32_t>;
  void read_learning(const Section& section, Bgp& bgp);
  void read_protocols(const Section& section, Learning& learning);
  void read_metrics(const SingleTable& found);
  void read_health(const SingleTable& found);
  [[nodiscard]] auto read_requirement(const Located<std::string>& text) -> Requirement;
  void read_web(const SingleTable& found);
  void read_hook(const SingleTable& found);
  // Refuses what is no endpoint, or where somebody listens already; nothing then.
  [[nodiscard]] auto read_listen(const Located<std::string>& text, const std::string& whose)
      -> std::optional<Listen>;
  void read_icmp(const SingleTable& found);
  void read_ip_options(const SingleTable& found);
  void read_guard(const SingleTable& found);
  void read_assertions(const toml::table& root);
  void read_assertion(const SingleTable& found);
  void read_assertion_source(const Located<std::string>& text, Assertion& assertion);
  [[nodiscard]] auto read_destination(const Located<std::string>& text) -> Destination;
  // A next hop as the rest of the program spells it, or "connected"; empty after a problem.
  [[nodiscard]] auto read_way(const Located<std::string>& text) -> std::string;
  void read_zone(const NamedTable& named);
  void read_zone_internet(const Section& section, Zone& zone);
  void read_zone_learning(const Section& section, Zone& zone);
  void check_learned_sources();
  void read_zone_ports(const Section& section, Zone& zone);
  void read_zone_sources(const Section& section, Zone& zone);
  void read_system_routes(const Section& section, Zone& zone);
  void read_routes(const Section& section, Zone& zone);
  [[nodiscard]] auto read_route(const Section& section) -> std::optional<RouteSpec>;
  void read_route_prefix(const Located<std::string>& prefix, RouteSpec& spec);
  void read_route_file(const Section& section, RouteSpec& spec);
  void read_route_preset(const Section& section, RouteSpec& spec);
  void check_preset(const Located<std::string>& name);
  void read_route_tag(const Section& section, RouteSpec& spec);
  // Relative to the configuration's folder; empty after a problem.
  [[nodiscard]] auto resolve_file(const Located<std::string>& file, std::string_view key)
      -> std::filesystem::path;
  // A next hop's name as the rest of the program spells it; empty after a problem.
  [[nodiscard]] auto resolve_next_hop(const Located<std::string>& name) -> std::string;

  // As a refusal of line `from` calls it.
  [[nodiscard]] auto place(unsigned from, unsigned line) const { return config_.line_seen_from(from, line); }
  void refuse(unsigned line, std::string reason) { problems_.add(line, std::move(reason)); }

  Problems& problems_;
  Config config_;
  std::vector<std::string_view> port_names_;
  std::vector<std::string_view> next_hop_names_;
  std::map<std::string, Owner> devices_;
  std::map<std::string, Owner> netdevs_;
  std::vector<std::pair<InterfaceAddress, Owner>> own_addresses_;
  std::vector<std::pair<Listen, std::string>> listening_;  // with whose it is
  std::map<base::Prefix, Owner> sources_;
};

}  // namespace sekisho::config
