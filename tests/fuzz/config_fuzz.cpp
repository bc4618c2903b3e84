// SPDX-License-Identifier: BSD-3-Clause
// Whatever bytes a configuration holds: one that keeps what its types promise, or a refusal with a reason.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "control/config/config.hpp"
#include "control/config/document.hpp"

namespace {

void check(bool holds) {
  if (!holds)
    std::abort();
}

bool is_next_hop(const sekisho::config::Config& config, std::string_view name) {
  const bool leaves = name == "Internet" && config.internet && config.internet->exit;
  return name == "None" || leaves ||
         std::ranges::find(config.next_hops, name, &sekisho::config::NextHop::name) != config.next_hops.end();
}

bool has_zone(const sekisho::config::Config& config, std::string_view name) {
  return std::ranges::find(config.zones, name, &sekisho::config::Zone::name) != config.zones.end();
}

void check(const sekisho::config::Config& config) {
  using Kind = sekisho::config::RouteSpec::Kind;
  check(!config.ports.empty());
  for (const auto& port : config.ports)
    check(!port.device.empty() && port.line != 0);
  for (const auto& next_hop : config.next_hops)
    check(!next_hop.members.empty() && std::ranges::is_sorted(next_hop.members));
  check(!config.internet || is_next_hop(config, config.internet->via));
  check(std::ranges::is_sorted(config.azure.own_addresses));
  for (const auto& [type, name] : config.azure.next_hops)
    check(!name.empty() && name != "None" && is_next_hop(config, name));
  check(!config.bgp || config.bgp->peers.empty() || config.bgp->asn != 0);
  for (const auto& assertion : config.assertions) {
    check(assertion.line != 0 && !assertion.to.empty() && !assertion.via.empty());
    check(assertion.zone.empty() || has_zone(config, assertion.zone));
    for (const auto& name : assertion.via)
      check(name == "connected" || is_next_hop(config, name));
    for (const auto* destinations : {&assertion.to, &assertion.except})
      for (const auto& destination : *destinations)
        check(destination.kind != sekisho::config::Destination::Kind::tag ||
              !config.azure.service_tags.empty());
  }
  for (const auto& zone : config.zones) {
    check(!zone.ports.empty() && !zone.sources.empty() && (!zone.internet || config.internet));
    for (const auto& port : zone.ports)
      check(std::ranges::find(config.ports, port, &sekisho::config::Port::name) != config.ports.end());
    check(zone.system_routes ? !zone.vnet.empty() : zone.vnet.empty() && zone.peerings.empty());
    for (const auto& route : zone.routes) {
      check(route.kind != Kind::tag || !config.azure.service_tags.empty());
      check(!route.peer || route.kind == Kind::file);
      check(is_next_hop(config, route.next_hop) || (route.kind == Kind::file && route.next_hop.empty()));
    }
  }
}

// Files whose tables become one: each zero byte begins another.
void merge(std::string_view text) {
  sekisho::config::Document document{"fuzz.toml"};
  for (unsigned number = 0;; ++number) {
    const auto end = std::min(text.find('\0'), text.size());
    const auto file = number == 0 ? std::string{"fuzz.toml"} : std::to_string(number);
    const auto added = document.add(text.substr(0, end), {.file = file, .size = {}});
    if (!added) {
      check(added.error().file == file && !added.error().reason.empty());
      return;
    }
    if (end == text.size())
      return;
    text.remove_prefix(end + 1);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  merge(text);
  const auto config = sekisho::config::parse(text, "fuzz.toml");
  if (config)
    check(*config);
  else
    check(!config.error().reason.empty());
  return 0;
}
