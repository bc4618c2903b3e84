// SPDX-License-Identifier: BSD-3-Clause
// What a dataplane would hold after the transactions that it was sent: every object and every route, by name.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "common/base/prefix.hpp"
#include "control/policy/policy.hpp"
#include "control/sync/transaction.hpp"
#include "dataplane.pb.h"

namespace sekisho::test {

class DataplaneImage {
 public:
  DataplaneImage() = default;
  // As a full transaction leaves it.
  DataplaneImage(const policy::Policy& policy, const sync::View& view) {
    apply(true, sync::full(policy, view));
  }

  void apply(bool full, const std::vector<ipc::Change>& changes) {
    if (full) {
      *this = {};
    }
    for (const auto& change : changes) {
      apply(change);
    }
  }

  [[nodiscard]] auto state(std::uint64_t transaction) const -> ipc::State {
    ipc::State state;
    state.set_transaction(transaction);
    for (const auto& [name, port] : ports_) {
      auto& message = *state.add_ports();
      message.set_name(name);
      message.set_device(port.device());
      message.set_configured(port.configured());
      message.set_instance(port.instance());
      message.set_running(true);
    }
    for (const auto& [key, adjacency] : adjacencies_) {
      *state.add_adjacencies() = adjacency;
    }
    for (const auto& [name, next_hop] : next_hops_) {
      *state.add_next_hops()->mutable_next_hop() = next_hop;
    }
    for (const auto& [name, zone] : zones_) {
      *state.add_zones() = zone;
    }
    if (!exit_.empty()) {
      state.mutable_exit()->set_port(exit_);
      state.mutable_exit()->set_running(true);
    }
    return state;
  }

  // Everything in words: what differs shows.
  [[nodiscard]] auto lines() const -> std::vector<std::string> {
    std::vector<std::string> result;
    const auto add = [&](const char* kind, const auto& messages) {
      for (const auto& [key, message] : messages) {
        result.push_back(std::string(kind) + " " + message.ShortDebugString());
      }
    };
    add("port", ports_);
    add("adjacency", adjacencies_);
    add("next hop", next_hops_);
    add("zone", zones_);
    result.push_back("exit " + exit_);
    for (const auto& [zone, table] : tables_) {
      for (const auto& [prefix, next_hop] : table) {
        result.push_back("route " + zone + " " + base::to_string(prefix) + " " + next_hop);
      }
    }
    return result;
  }

  [[nodiscard]] auto next_hop_of(const std::string& zone, base::Prefix prefix) const -> std::string {
    const auto table = tables_.find(zone);
    const auto route = table == tables_.end() ? Table::const_iterator{} : table->second.find(prefix);
    return table == tables_.end() || route == table->second.end() ? "" : route->second;
  }
  [[nodiscard]] bool is_alive(std::uint32_t address) const {
    for (const auto& [key, adjacency] : adjacencies_) {
      if (key.second == address && adjacency.alive()) {
        return true;
      }
    }
    return false;
  }

 private:
  using Table = std::map<base::Prefix, std::string>;

  static auto key_of(const ipc::AdjacencyKey& key) { return std::pair(key.port(), key.address()); }

  template <typename Map, typename Key>
  static void remove(Map& map, const Key& key) {
    EXPECT_EQ(map.erase(key), 1U) << "removes what is not there";
  }

  void apply(const ipc::Change& change) {
    for (const auto& port : change.ports()) {
      ports_[port.name()] = port;
    }
    for (const auto& adjacency : change.adjacencies()) {
      adjacencies_[key_of(adjacency.key())] = adjacency;
    }
    for (const auto& next_hop : change.next_hops()) {
      next_hops_[next_hop.name()] = next_hop;
    }
    for (const auto& zone : change.zones()) {
      zones_[zone.name()] = zone;
    }
    for (const auto& routes : change.routes()) {
      for (int i = 0; i < routes.address_size(); ++i) {
        const auto length = static_cast<std::uint8_t>(routes.length()[static_cast<std::size_t>(i)]);
        tables_[routes.zone()][{routes.address(i), length}] =
            routes.next_hop_names(static_cast<int>(routes.next_hop(i)));
      }
    }
    if (change.has_exit()) {
      exit_ = change.exit().port();
    }
    for (const auto& routes : change.withdraw()) {
      for (int i = 0; i < routes.address_size(); ++i) {
        const auto length = static_cast<std::uint8_t>(routes.length()[static_cast<std::size_t>(i)]);
        remove(tables_[routes.zone()], base::Prefix{routes.address(i), length});
      }
    }
    for (const auto& name : change.remove_ports()) {
      remove(ports_, name);
    }
    for (const auto& key : change.remove_adjacencies()) {
      remove(adjacencies_, key_of(key));
    }
    for (const auto& name : change.remove_next_hops()) {
      remove(next_hops_, name);
    }
    for (const auto& name : change.remove_zones()) {
      remove(zones_, name);
      tables_.erase(name);
    }
    if (change.remove_exit()) {
      exit_.clear();
    }
  }

  std::map<std::string, ipc::Port> ports_;
  std::map<std::pair<std::string, std::uint32_t>, ipc::Adjacency> adjacencies_;
  std::map<std::string, ipc::NextHop> next_hops_;
  std::map<std::string, ipc::Zone> zones_;
  std::map<std::string, Table> tables_;
  std::string exit_;
};

}  // namespace sekisho::test
