#include "control/kernel/last_macs.hpp"

#include <optional>

namespace sekisho::kernel {

void LastMacs::hear(const NeighbourKey& key, const Neighbour* before, const Neighbour* now, Time at) {
  std::optional<MacAddress> good;
  if (before != nullptr && before->usable) {
    good = before->mac;
  } else if (const auto last = serving_.find(key); last != serving_.end()) {
    good = last->second;
  }
  const auto failed = failed_.extract(key);
  if (now == nullptr) {
    if (!good && failed && at - failed.mapped().at <= removal) {
      good = failed.mapped().mac;
    }
  } else if (now->usable) {
    good.reset();
  } else if (now->state != "INCOMPLETE") {
    if (good) {
      failed_[key] = {*good, at};
    }
    good.reset();
  }
  if (good) {
    serving_[key] = *good;
  } else {
    serving_.erase(key);
  }
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

}  // namespace sekisho::kernel
