// SPDX-License-Identifier: BSD-3-Clause
#include "control/serve/members.hpp"

#include <algorithm>

#include "common/base/prefix.hpp"

namespace sekisho::serve {

Json members_json(const config::NextHop& next_hop, const std::vector<reach::Member>* members) {
  auto result = Json::array();
  for (const auto address : next_hop.members) {
    Json entry{{"address", base::address_to_string(address)}};
    if (members == nullptr) {
      entry.update(
          {{"port", nullptr}, {"mac", nullptr}, {"alive", nullptr}, {"why", "the kernel was not asked"}});
      result.push_back(std::move(entry));
      continue;
    }
    const auto found = std::find_if(members->begin(), members->end(),
                                    [&](const reach::Member& member) { return member.address == address; });
    if (found == members->end()) {
      entry.update(
          {{"port", nullptr}, {"mac", nullptr}, {"alive", false}, {"why", "it is not followed yet"}});
    } else {
      entry["port"] = found->port.empty() ? Json(nullptr) : Json(found->port);
      entry["mac"] = found->mac ? mac_json(*found->mac) : Json(nullptr);
      entry["alive"] = found->alive;
      entry["why"] = found->why;
    }
    result.push_back(std::move(entry));
  }
  return result;
}

Json exit_json(const reach::Exit& exit) {
  const auto text = [](const std::optional<std::uint32_t>& address) {
    return address ? Json(base::address_to_string(*address)) : Json(nullptr);
  };
  return {{"port", exit.port},
          {"interface", exit.netdev},
          {"address", text(exit.address)},
          {"gateway", text(exit.gateway)},
          {"ready", exit.ready},
          {"why", exit.why}};
}

}  // namespace sekisho::serve
