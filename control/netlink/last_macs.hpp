// SPDX-License-Identifier: BSD-3-Clause
// The MAC addresses of neighbours whose entries somebody has removed (`ip neigh flush`, an overflow of the kernel's table, the
// port's new MAC): the removal says nothing about the neighbour. The last MAC serves until the kernel has resolved the neighbour
// again or says FAILED.
//
// The kernel announces a removal, too, as FAILED, and then, in the same system call, that the entry is gone (neigh_delete() in
// net/core/neighbour.c); a neighbour that does not answer is FAILED and stays. Whoever reads in between must not stop forwarding: a
// neighbour that was good and is FAILED serves for `removal` more, and for longer if its entry is gone by then.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <set>

#include "common/base/mac_address.hpp"
#include "control/netlink/mirror.hpp"

namespace sekisho::netlink {

class LastMacs {
 public:
  using Time = std::chrono::steady_clock::time_point;
  static constexpr std::chrono::milliseconds removal{30};

  // What serves is in `serving`, the mirror's.
  explicit LastMacs(std::map<NeighbourKey, base::MacAddress>& serving) : serving_(serving) {}

  // What the kernel had said of the neighbour before and what it says now; null: it has no entry.
  void hear(const NeighbourKey& key, const Neighbour* before, const Neighbour* now, Time at);
  // Forgets those that have been FAILED for `removal`. When to call it again; nothing: when the next one FAILED.
  [[nodiscard]] auto settle(Time now) -> std::optional<Time>;
  // Its interface has gone down or is no more: its neighbours may be others when it returns.
  void forget(int link);
  // Nobody else's are remembered.
  void keep_only(const std::set<NeighbourKey>& wanted);

 private:
  std::map<NeighbourKey, base::MacAddress>& serving_;
  std::map<NeighbourKey, Time>
      failed_;  // of those that serve; since when, which may turn out to be a removal
};

}  // namespace sekisho::netlink
