// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "common/base/prefix.hpp"
#include "control/serve/members.hpp"
#include "control/serve/show.hpp"
#include "control/sync/transaction.hpp"

namespace sekisho::serve {
namespace {

const ipc::NextHopState* find_state(const Live& live, const std::string& name) {
  if (live.state) {
    for (const auto& state : live.state->next_hops()) {
      if (state.next_hop().name() == name) {
        return &state;
      }
    }
  }
  return nullptr;
}

const char* action_text(ipc::NextHop::Action action) {
  switch (action) {
    case ipc::NextHop::DROP:
      return "drop";
    case ipc::NextHop::HOST:
      return "host";
    case ipc::NextHop::EXIT:
      return "exit";
    case ipc::NextHop::CONNECTED:
      return "connected";
    default:
      return "forward";
  }
}

config::NextHop members_of(const ipc::NextHop& next_hop) {
  config::NextHop result{.name = next_hop.name(), .members = {}};
  for (const auto& key : next_hop.members()) {
    result.members.push_back(key.address());
  }
  return result;
}

// What was transmitted to each address: whether a group's flows are spread.
using Shares = std::unordered_map<std::string, const ipc::AdjacencyStatistics*>;

Shares shares_of(const Live& live) {
  Shares shares;
  if (live.statistics) {
    for (const auto& adjacency : live.statistics->adjacencies()) {
      shares.insert_or_assign(base::address_to_string(adjacency.key().address()), &adjacency);
    }
  }
  return shares;
}

void add_live(Json& entry, const std::string& name, const Live& live, const Shares& shares) {
  if (const auto* state = find_state(live, name)) {
    entry["index"] = state->index();
    entry["alive_in_dataplane"] = state->alive_members();
    std::set<std::string> drained;
    for (const auto& told : state->next_hop().members()) {
      if (told.drained()) {
        drained.insert(base::address_to_string(told.address()));
      }
    }
    for (auto& member : entry["members"]) {
      member["drained_in_dataplane"] = drained.contains(member["address"].get<std::string>());
    }
  }
  if (live.statistics) {
    for (const auto& next_hop : live.statistics->next_hops()) {
      if (next_hop.name() == name) {
        entry["traffic"] = counter_json(next_hop.counter());
      }
    }
    for (auto& member : entry["members"]) {
      if (const auto share = shares.find(member["address"].get<std::string>()); share != shares.end()) {
        member["traffic"] = counter_json(share->second->counter());
      }
    }
  }
}

}  // namespace

Json show_next_hops(const policy::Policy& policy, const sync::View& view, const Live& live) {
  auto result = Json::array();
  const auto shares = shares_of(live);
  std::set<std::string> shown;
  for (const auto& next_hop : policy.config.next_hops) {
    Json entry{{"name", next_hop.name},
               {"action", "forward"},
               {"hash", next_hop.hash == config::Hash::addresses ? "addresses" : "5-tuple"}};
    auto list = members_json(next_hop, &view);
    // What the kernel knows of members forwards nothing without a dataplane.
    entry["alive"] = live.state
                         ? Json(std::count_if(list.begin(), list.end(),
                                              [](const Json& member) { return member["alive"] == true; }))
                         : Json(nullptr);
    entry["members"] = std::move(list);
    add_live(entry, next_hop.name, live, shares);
    shown.insert(next_hop.name);
    result.push_back(std::move(entry));
  }
  if (const auto& exit = view.exit) {
    const std::string name{sync::exit_next_hop};
    Json entry{{"name", policy::leave},
               {"action", "exit"},
               {"alive", live.state ? Json(exit->ready ? 1 : 0) : Json(nullptr)},
               {"members", Json::array()}};
    entry["exit"] = exit_json(*exit);
    if (const auto* state = find_state(live, name)) {
      entry["action_in_dataplane"] =
          action_text(state->next_hop().action());  // "forward": without a member, down
    }
    add_live(entry, name, live, shares);
    shown.insert(name);
    result.push_back(std::move(entry));
  }
  if (live.state) {  // what no section of the configuration names: "None", a host on a port's subnet
    for (const auto& state : live.state->next_hops()) {
      if (!shown.contains(state.next_hop().name())) {
        Json entry{{"name", state.next_hop().name()},
                   {"action", action_text(state.next_hop().action())},
                   {"alive", state.alive_members()},
                   {"members", members_json(members_of(state.next_hop()), &view)}};
        add_live(entry, state.next_hop().name(), live, shares);
        result.push_back(std::move(entry));
      }
    }
  }
  return result;
}

Json show_neighbours(const policy::Policy& policy, const netlink::Mirror& mirror,
                     const std::vector<reach::Member>& members) {
  const auto users_of = [&](std::uint32_t address) {
    auto users = Json::array();
    for (const auto& next_hop : policy.config.next_hops) {
      if (std::find(next_hop.members.begin(), next_hop.members.end(), address) != next_hop.members.end()) {
        users.push_back(next_hop.name);
      }
    }
    return users;
  };
  auto result = Json::array();
  for (const auto& port : policy.config.ports) {
    std::set<std::uint32_t> seen;
    const auto add = [&](std::uint32_t address, Json mac, std::string state, bool usable) {
      if (seen.insert(address).second) {
        result.push_back({{"port", port.name},
                          {"address", base::address_to_string(address)},
                          {"mac", std::move(mac)},
                          {"state", std::move(state)},
                          {"usable", usable},
                          {"next_hops", users_of(address)}});
      }
    };
    for (const auto& neighbour : port.neighbours) {
      add(neighbour.address, mac_json(neighbour.mac), "CONFIGURED", true);
    }
    if (const auto* link = mirror.link_of(port)) {
      for (const auto& [key, neighbour] : mirror.neighbours) {
        if (key.first == link->index) {
          add(key.second, neighbour.usable ? mac_json(neighbour.mac) : Json(nullptr), neighbour.state,
              neighbour.usable);
        }
      }
    }
    for (const auto& member : members) {  // wanted, and the kernel has never heard of it
      if (member.port == port.name) {
        add(member.address, nullptr, "NONE", false);
      }
    }
  }
  return result;
}

}  // namespace sekisho::serve
