// SPDX-License-Identifier: BSD-3-Clause
#include "control/netlink/last_macs.hpp"

#include <algorithm>
#include <optional>

#include "common/base/mac_address.hpp"

namespace sekisho::netlink {

void LastMacs::hear(const NeighbourKey& key, const Neighbour* before, const Neighbour* now, Time at) {
  std::optional<base::MacAddress> good;
  if (before != nullptr && before->usable) {
    good = before->mac;
  } else if (const auto last = serving_.find(key); last != serving_.end()) {
    good = last->second;
  }
  const bool has_failed = now != nullptr && !now->usable && now->state != "INCOMPLETE";
  if (!good || (now != nullptr && now->usable)) {
    serving_.erase(key);
    failed_.erase(key);
    return;
  }
  serving_[key] = *good;
  if (has_failed) {
    failed_.try_emplace(key, at);
  } else if (now == nullptr) {
    failed_.erase(key);
  }  // else it is asked again, which takes back nothing that it FAILED to answer
}

auto LastMacs::settle(Time now) -> std::optional<Time> {
  std::optional<Time> next;
  std::erase_if(failed_, [&](const auto& entry) {
    const auto& [key, since] = entry;
    if (now - since >= removal) {
      serving_.erase(key);
      return true;
    }
    next = std::min(next.value_or(since + removal), since + removal);
    return false;
  });
  return next;
}

void LastMacs::forget(int link) {
  const auto is_there = [&](const auto& entry) { return entry.first.first == link; };
  std::erase_if(serving_, is_there);
  std::erase_if(failed_, is_there);
}

void LastMacs::keep_only(const std::set<NeighbourKey>& wanted) {
  const auto is_unwanted = [&](const auto& entry) { return !wanted.contains(entry.first); };
  std::erase_if(serving_, is_unwanted);
  std::erase_if(failed_, is_unwanted);
}

}  // namespace sekisho::netlink
