// SPDX-License-Identifier: BSD-3-Clause
#include "control/reach/connected.hpp"

#include <algorithm>

#include "control/reach/members.hpp"

namespace sekisho::reach {

auto connected(const config::Config& config, const netlink::Mirror& mirror) -> std::vector<Connected> {
  std::vector<Connected> result;
  if (std::ranges::none_of(config.zones, &config::Zone::connected)) {
    return result;
  }
  for (const auto& port : config.ports) {
    for (const auto& address : port_addresses(port, mirror)) {
      if (address.length < 32) {
        result.push_back({subnet(address), port.name});
      }
    }
  }
  // Ports are sorted by name, and stay so.
  std::ranges::stable_sort(result, {}, &Connected::prefix);
  const auto again = std::ranges::unique(result, {}, &Connected::prefix);
  result.erase(again.begin(), again.end());
  return result;
}

auto edges(base::Prefix subnet) -> std::vector<std::uint32_t> {
  constexpr std::uint8_t longest_with_edges = 30;
  return subnet.length > longest_with_edges ? std::vector<std::uint32_t>{}
                                            : std::vector{subnet.address, subnet.last()};
}

auto covering(const std::vector<Connected>& connected, std::uint32_t address) -> const Connected* {
  const Connected* longest = nullptr;
  for (const auto& entry : connected) {
    if (entry.prefix.covers(address) &&
        (longest == nullptr || entry.prefix.length > longest->prefix.length)) {
      longest = &entry;
    }
  }
  return longest;
}

bool has_host(const std::vector<Connected>& connected, std::uint32_t address) {
  const auto* found = covering(connected, address);
  if (found == nullptr) {
    return false;
  }
  const auto nobodys = edges(found->prefix);
  return std::ranges::find(nobodys, address) == nobodys.end();
}

auto host_name(std::uint32_t address) -> std::string {
  auto name = "host-" + base::address_to_string(address);
  std::ranges::replace(name, '.', '-');
  return name;
}

}  // namespace sekisho::reach
