// Fills Changes with routes and withdrawals, each as full as a frame takes well.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "dataplane.pb.h"
#include "dataplane/fib/prefix.hpp"

namespace sekisho::sync {

inline constexpr int routes_per_change = 100'000;

class RouteWriter {
 public:
  // What is there already stays a Change of its own.
  explicit RouteWriter(std::vector<api::Change>& changes) : changes_(changes) {}

  void zone(std::string_view name);  // of what follows
  void add(fib::Prefix prefix, std::string_view next_hop);
  void withdraw(fib::Prefix prefix);

 private:
  api::Change& change();  // with room for one more
  std::uint32_t index_of(std::string_view next_hop);

  std::vector<api::Change>& changes_;
  std::string zone_;
  // Of the zone, in the last change; null: none yet.
  api::Routes* routes_ = nullptr;
  api::Routes* withdrawn_ = nullptr;
  std::unordered_map<std::string, std::uint32_t> indexes_;  // in routes_->next_hop_names
  int count_ = routes_per_change;                           // in the last change
};

}  // namespace sekisho::sync
