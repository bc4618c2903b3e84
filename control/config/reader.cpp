// SPDX-License-Identifier: BSD-3-Clause
#include "control/config/reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "common/base/text.hpp"
#include "control/config/addresses.hpp"

namespace sekisho::config {
namespace {

// What the dataplane has room for (forward/forwarding_state.hpp).
constexpr std::size_t max_ports = 32;
constexpr std::size_t max_zones = 255;
constexpr std::size_t max_next_hops =
    3000;  // hosts on the ports' subnets (egress/hosts.hpp) take up to 1,024 more

}  // namespace

auto Reader::read(const toml::table& root) -> Config {
  const Section top{root, 1, "the configuration", problems_, keys::top};
  std::ranges::transform(top.texts("include"), std::back_inserter(config_.include),
                         &Located<std::string>::value);
  const auto ports = named_tables(root, "port", problems_);
  const auto next_hops = named_tables(root, "next_hop", problems_);
  const auto zones = named_tables(root, "zone", problems_);
  if (ports.size() > max_ports)
    refuse(ports[max_ports].line, fmt::format("more than {} ports", max_ports));
  if (zones.size() > max_zones)
    refuse(zones[max_zones].line, fmt::format("more than {} zones", max_zones));
  if (next_hops.size() > max_next_hops)
    refuse(next_hops[max_next_hops].line, fmt::format("more than {} next hops", max_next_hops));

  // All names before any details, so that a port with a bad device does not also seem to be missing
  // elsewhere.
  std::ranges::transform(ports, std::back_inserter(port_names_), &NamedTable::name);
  std::ranges::transform(next_hops, std::back_inserter(next_hop_names_), &NamedTable::name);

  // Each may refer to what is read before it.
  for (const auto& port : ports)
    read_port(port);
  for (const auto& next_hop : next_hops)
    read_next_hop(next_hop);
  check_probes();
  if (const auto found = single_table(root, "internet", problems_))
    read_internet(*found);
  if (const auto found = single_table(root, "azure", problems_))
    read_azure(*found);
  if (const auto found = single_table(root, "bgp", problems_))
    read_bgp(*found);
  if (const auto found = single_table(root, "metrics", problems_))
    read_metrics(*found);
  if (const auto found = single_table(root, "web", problems_))
    read_web(*found);
  if (const auto found = single_table(root, "guard", problems_))
    read_guard(*found);
  if (const auto found = single_table(root, "icmp", problems_))
    read_icmp(*found);
  if (const auto found = single_table(root, "ip_options", problems_))
    read_ip_options(*found);
  if (const auto found = single_table(root, "hook", problems_))
    read_hook(*found);
  for (const auto& zone : zones)
    read_zone(zone);
  check_learned_sources();
  if (const auto found = single_table(root, "health", problems_))
    read_health(*found);
  read_assertions(root);

  if (config_.ports.empty() && !problems_.first())
    refuse(0, "names no port: at least one [port.NAME] is needed");
  std::ranges::sort(config_.ports, {}, &Port::name);
  std::ranges::sort(config_.next_hops, {}, &NextHop::name);
  std::ranges::sort(config_.zones, {}, &Zone::name);
  return std::move(config_);
}

auto Reader::resolve_file(const Located<std::string>& file, std::string_view key) -> std::filesystem::path {
  if (file.value.empty() || file.value.find('\0') != std::string::npos) {
    refuse(file.line, fmt::format("{} names no file", base::in_quotes(key)));
    return {};
  }
  std::error_code code;
  const auto configuration = std::filesystem::absolute(config_.file, code);
  return (configuration.parent_path() / file.value).lexically_normal();
}

auto Reader::resolve_next_hop(const Located<std::string>& name) -> std::string {
  if (base::equal_without_case(name.value, none))
    return std::string{none};
  if (base::equal_without_case(name.value, leave)) {
    if (!config_.internet || !config_.internet->exit)
      refuse(name.line, std::string{no_exit});
    return std::string{leave};
  }
  if (std::ranges::find(next_hop_names_, name.value) != next_hop_names_.end())
    return name.value;
  auto known = next_hop_names_;
  known.insert(known.end(), {none, leave});
  refuse(name.line, fmt::format("there is no next hop {}{}", base::in_quotes(name.value),
                                base::suggestion(name.value, known)));
  return {};
}

}  // namespace sekisho::config
