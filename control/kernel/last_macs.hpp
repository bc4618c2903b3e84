// The MAC addresses of neighbours whose entries somebody has removed (`ip neigh flush`, an overflow of the kernel's table, the
// port's new MAC): the removal says nothing about the neighbour. The last MAC serves until the kernel has resolved the neighbour
// again or says FAILED.
//
// The kernel announces a removal, too, as FAILED, and then, in the same system call, that the entry is gone (neigh_delete() in
// net/core/neighbour.c); a neighbour that does not answer is FAILED and stays. So a FAILED that is followed by the end of its entry
// within `removal` is taken back.
#pragma once

#include <chrono>
#include <map>
#include <set>

#include "control/kernel/mirror.hpp"

namespace sekisho::kernel {

class LastMacs {
 public:
  using Time = std::chrono::steady_clock::time_point;
  static constexpr std::chrono::milliseconds removal{100};

  // What serves is in `serving`, the mirror's.
  explicit LastMacs(std::map<NeighbourKey, MacAddress>& serving) : serving_(serving) {}

  // What the kernel had said of the neighbour before and what it says now; null: it has no entry.
  void hear(const NeighbourKey& key, const Neighbour* before, const Neighbour* now, Time at);
  // Its interface has gone down or is no more: its neighbours may be others when it returns.
  void forget(int link);
  // Nobody else's are remembered.
  void keep_only(const std::set<NeighbourKey>& wanted);

 private:
  struct Failed {
    MacAddress mac{};
    Time at;
  };
  std::map<NeighbourKey, MacAddress>& serving_;
  std::map<NeighbourKey, Failed> failed_;  // which may turn out to be a removal
};

}  // namespace sekisho::kernel
