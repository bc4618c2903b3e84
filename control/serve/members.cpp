// SPDX-License-Identifier: BSD-3-Clause
#include "control/serve/members.hpp"

#include <algorithm>
#include <chrono>

#include "common/base/prefix.hpp"

namespace sekisho::serve {
namespace {

// By the clock of today: one that was put right since then moves what lies before along with it.
Json unix_ms(std::chrono::steady_clock::time_point time) {
  using std::chrono::milliseconds;
  const auto ago = std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - time);
  const auto now =
      std::chrono::duration_cast<milliseconds>(std::chrono::system_clock::now().time_since_epoch());
  return (now - ago).count();
}

// What stays null has not been seen.
void add_life(Json& entry, const reach::Member& member) {
  entry["since_unix_ms"] = member.since ? unix_ms(*member.since) : Json(nullptr);
  entry["flaps"] = member.downs;
  entry["transitions"] = {{"up", member.ups}, {"down", member.downs}};
  entry["probed"] = member.is_probed;
  entry["round_trip_us"] = member.round_trip ? Json(member.round_trip->count()) : Json(nullptr);
}

}  // namespace

Json members_json(const config::NextHop& next_hop, const sync::View* view) {
  auto result = Json::array();
  for (const auto address : next_hop.members) {
    Json entry{{"address", base::address_to_string(address)},
               {"weight", next_hop.weight_of(address)},
               {"drained", view != nullptr && view->drained.contains({next_hop.name, address})}};
    if (view == nullptr) {
      entry.update(
          {{"port", nullptr}, {"mac", nullptr}, {"alive", nullptr}, {"why", "the kernel was not asked"}});
      result.push_back(std::move(entry));
      continue;
    }
    const auto found = std::ranges::find(view->members, address, &reach::Member::address);
    if (found == view->members.end()) {
      entry.update(
          {{"port", nullptr}, {"mac", nullptr}, {"alive", false}, {"why", "it is not followed yet"}});
    } else {
      entry["port"] = found->port.empty() ? Json(nullptr) : Json(found->port);
      entry["mac"] = found->mac ? mac_json(*found->mac) : Json(nullptr);
      entry["alive"] = found->alive;
      entry["why"] = found->why;
      add_life(entry, *found);
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
