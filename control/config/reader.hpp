// From a parsed TOML document to a Config: each value checked by itself and against the rest of the file.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "control/config/config.hpp"
#include "control/config/section.hpp"

namespace sekisho::config {

class Reader {
 public:
  Reader(const std::filesystem::path& file, Problems& problems) : problems_(problems) { config_.file = file; }
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
  void read_next_hop(const NamedTable& named);
  void read_internet(const toml::table& table, unsigned line);
  void read_metrics(const toml::table& table, unsigned line);
  void read_exit(const Section& section, Internet& internet);
  void read_zone(const NamedTable& named);
  void read_routes(const Section& section, Zone& zone);
  [[nodiscard]] auto read_route(const Section& section) -> std::optional<RouteSpec>;
  void read_route_file(const Located<std::string>& file, RouteSpec& spec);
  // A next hop's name as the rest of the program spells it; empty after a problem.
  [[nodiscard]] auto resolve_next_hop(const Located<std::string>& name) -> std::string;

  void refuse(unsigned line, std::string reason) { problems_.add(line, std::move(reason)); }

  Problems& problems_;
  Config config_;
  std::vector<std::string_view> port_names_;
  std::vector<std::string_view> next_hop_names_;  // with "None" and "Internet"
  std::map<std::string, Owner> devices_;
  std::map<std::string, Owner> netdevs_;
  std::vector<std::pair<InterfaceAddress, Owner>> own_addresses_;
  std::map<fib::Prefix, Owner> sources_;
};

}  // namespace sekisho::config
