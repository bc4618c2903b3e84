// SPDX-License-Identifier: BSD-3-Clause
#include "control/serve/show_names.hpp"

#include "common/base/prefix.hpp"

namespace sekisho::serve {

Json show_names(const policy::Policy& policy) {
  Json result{{"zones", Json::array()}, {"ports", Json::array()}, {"next_hops", Json::array()}};
  for (const auto& zone : policy.config.zones) {
    result["zones"].push_back(zone.name);
  }
  for (const auto& port : policy.config.ports) {
    result["ports"].push_back(port.name);
  }
  for (const auto& next_hop : policy.config.next_hops) {
    auto members = Json::array();
    for (const auto member : next_hop.members) {
      members.push_back(base::address_to_string(member));
    }
    result["next_hops"].push_back({{"name", next_hop.name}, {"members", std::move(members)}});
  }
  return result;
}

}  // namespace sekisho::serve
