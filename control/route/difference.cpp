// SPDX-License-Identifier: BSD-3-Clause
#include "control/route/difference.hpp"

#include <algorithm>
#include <cstddef>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "control/route/nest.hpp"

namespace sekisho::route {
namespace {

// A next hop's number, the same in both tables.
using Common = std::uint32_t;
constexpr Common nowhere = ~Common{0};

class CommonNames {
 public:
  auto number(const Names& names) -> std::vector<Common> {
    std::vector<Common> result;
    result.reserve(names.size());
    for (NameId id = 0; id < names.size(); ++id) {
      const auto [entry, added] = known_.try_emplace(names[id], static_cast<Common>(known_.size()));
      if (added)
        texts_.push_back(&names[id]);
      result.push_back(entry->second);
    }
    return result;
  }
  // Null of nowhere.
  [[nodiscard]] const std::string* text(Common number) const {
    return number == nowhere ? nullptr : texts_[number];
  }

 private:
  std::vector<const std::string*> texts_;
  std::unordered_map<std::string_view, Common> known_;
};

// Both tables' nested prefixes, from the first address to the last.
class Sweep {
 public:
  using Tell = std::function<void(const Moved&)>;
  Sweep(const CommonNames& names, const Tell& moved) : names_(names), moved_(moved) {}

  void advance(std::uint64_t to) {
    while (position_ < to) {
      const auto next = std::min({to, before.end(), after.end()});
      if (before.value() != after.value()) {
        differing_ += next - position_;
        if (moved_)
          moved_({.first = static_cast<std::uint32_t>(position_),
                  .last = static_cast<std::uint32_t>(next - 1),
                  .before = names_.text(before.value()),
                  .after = names_.text(after.value())});
      }
      position_ = next;
      before.leave_before(position_);
      after.leave_before(position_);
    }
  }
  [[nodiscard]] std::uint64_t finish() {
    advance(all_addresses);
    return differing_;
  }

  Nest<Common> before{nowhere};
  Nest<Common> after{nowhere};

 private:
  const CommonNames& names_;
  const Tell& moved_;
  std::uint64_t position_ = 0;
  std::uint64_t differing_ = 0;
};

}  // namespace

auto difference(Side before, Side after, const std::function<void(const Change&)>& visit,
                const std::function<void(const Moved&)>& moved) -> Difference {
  CommonNames names;
  const auto number_before = names.number(before.names);
  const auto number_after = names.number(after.names);
  Difference result;
  Sweep sweep{names, moved};

  auto routes_before = before.table.active();
  auto routes_after = after.table.active();
  auto old = routes_before.begin();
  auto now = routes_after.begin();
  while (old != routes_before.end() || now != routes_after.end()) {
    const auto has_old =
        old != routes_before.end() && (now == routes_after.end() || old->prefix <= now->prefix);
    const auto has_now =
        now != routes_after.end() && (old == routes_before.end() || now->prefix <= old->prefix);
    const auto prefix = has_old ? old->prefix : now->prefix;
    const auto next_hop_before = has_old ? number_before[old->next_hop] : nowhere;
    const auto next_hop_after = has_now ? number_after[now->next_hop] : nowhere;
    sweep.advance(prefix.address);
    if (has_old)
      sweep.before.enter(prefix, next_hop_before);
    if (has_now)
      sweep.after.enter(prefix, next_hop_after);
    if (next_hop_before != next_hop_after) {
      ++(!has_old ? result.added : !has_now ? result.removed : result.changed);
      visit({.prefix = prefix,
             .before = has_old ? &before.names[old->next_hop] : nullptr,
             .after = has_now ? &after.names[now->next_hop] : nullptr});
    }
    if (has_old)
      ++old;
    if (has_now)
      ++now;
  }
  result.addresses = sweep.finish();
  return result;
}

}  // namespace sekisho::route
