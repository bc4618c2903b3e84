// SPDX-License-Identifier: BSD-3-Clause
#include "control/netlink/devices.hpp"

#include <fmt/format.h>

#include <map>

namespace sekisho::netlink {

auto missing_devices(const config::Config& config, const Mirror& mirror) -> std::vector<base::Error> {
  std::vector<base::Error> result;
  for (const auto& port : config.ports)
    if (port.is_af_xdp())
      if (const auto link = mirror.find_link_of(port); !link)
        result.push_back(config.at(port.line, fmt::format("port {}: {}", port.name, link.error())));
  return result;
}

auto shared_device(const config::Config& config, const Mirror& mirror) -> std::optional<base::Error> {
  std::map<int, const config::Port*> owners;
  for (const auto& port : config.ports) {
    const Link* link = mirror.link_of(port);
    if (link == nullptr)
      continue;
    const auto [owner, is_first] = owners.try_emplace(link->index, &port);
    if (!is_first)
      return config.at(port.line, fmt::format("port {}: {} is the interface of port {} already ({})",
                                              port.name, link->name, owner->second->name,
                                              config.line_seen_from(port.line, owner->second->line)));
  }
  return std::nullopt;
}

}  // namespace sekisho::netlink
