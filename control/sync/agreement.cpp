// SPDX-License-Identifier: BSD-3-Clause
#include "control/sync/agreement.hpp"

#include <fmt/format.h>

#include <map>
#include <string_view>

namespace sekisho::sync {
namespace {

// By name, what has to be the same besides.
using Things = std::map<std::string_view, int>;

auto compare(std::string_view kind, const Things& has, const Things& told) -> std::optional<std::string> {
  for (const auto& [name, what] : told) {
    const auto found = has.find(name);
    if (found == has.end()) {
      return fmt::format("{} {} is not in the dataplane", kind, name);
    }
    if (found->second != what) {
      return fmt::format("{} {} is another in the dataplane", kind, name);
    }
  }
  for (const auto& [name, what] : has) {
    if (!told.contains(name)) {
      return fmt::format("the dataplane has a {} {} that it was not told", kind, name);
    }
  }
  return std::nullopt;
}

template <class List>
Things names(const List& list) {
  Things result;
  for (const auto& entry : list) {
    result.emplace(entry.name(), 0);
  }
  return result;
}

}  // namespace

auto disagreement(const ipc::State& state, const ipc::Change& told) -> std::optional<std::string> {
  Things has;
  for (const auto& next_hop : state.next_hops()) {
    has.emplace(next_hop.next_hop().name(), next_hop.next_hop().action());
  }
  Things wants;
  for (const auto& next_hop : told.next_hops()) {
    wants.emplace(next_hop.name(), next_hop.action());
  }
  auto result = compare("port", names(state.ports()), names(told.ports()));
  if (!result) {
    result = compare("next hop", has, wants);
  }
  if (!result) {
    result = compare("zone", names(state.zones()), names(told.zones()));
  }
  if (!result && state.exit().port() != told.exit().port()) {
    result = fmt::format("the exit is port \"{}\" in the dataplane, not \"{}\"", state.exit().port(),
                         told.exit().port());
  }
  return result;
}

}  // namespace sekisho::sync
