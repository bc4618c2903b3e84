// SPDX-License-Identifier: BSD-3-Clause
// Fills Changes with routes and withdrawals, each as full as a frame takes well.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "common/base/prefix.hpp"
#include "dataplane.pb.h"

namespace sekisho::sync {

inline constexpr int routes_per_change = 100'000;

class RouteWriter {
 public:
  // What is there already stays a Change of its own.
  explicit RouteWriter(std::vector<ipc::Change>& changes) : changes_(changes) {}

  void zone(std::string_view name);  // of what follows
  void add(base::Prefix prefix, std::string_view next_hop);
  void withdraw(base::Prefix prefix);

 private:
  ipc::Change& change();  // with room for one more
  std::uint32_t index_of(std::string_view next_hop);

  std::vector<ipc::Change>& changes_;
  std::string zone_;
  // Of the zone, in the last change; null: none yet.
  ipc::Routes* routes_ = nullptr;
  ipc::Routes* withdrawn_ = nullptr;
  std::unordered_map<std::string, std::uint32_t> indexes_;  // in routes_->next_hop_names
  int count_ = routes_per_change;                           // in the last change
};

}  // namespace sekisho::sync
