// SPDX-License-Identifier: BSD-3-Clause
#include "control/route/difference.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>
#include <unordered_map>
#include <vector>

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
    for (NameId id = 0; id < names.size(); ++id)
      result.push_back(known_.try_emplace(names[id], static_cast<Common>(known_.size())).first->second);
    return result;
  }

 private:
  std::unordered_map<std::string_view, Common> known_;
};

constexpr std::uint64_t all_addresses = std::uint64_t{1} << 32;

// The prefixes of a table that cover the address where a sweep stands. Pre-order nests them: the innermost is the last.
class Nest {
 public:
  void enter(base::Prefix prefix, Common next_hop) {
    levels_[depth_++] = {std::uint64_t{prefix.last()} + 1, next_hop};
  }
  void leave_before(std::uint64_t address) {
    while (depth_ != 0 && levels_[depth_ - 1].end <= address)
      --depth_;
  }
  [[nodiscard]] Common next_hop() const { return depth_ == 0 ? nowhere : levels_[depth_ - 1].next_hop; }
  // Behind the last address that goes where the current one does, unless a route begins before.
  [[nodiscard]] std::uint64_t end() const { return depth_ == 0 ? all_addresses : levels_[depth_ - 1].end; }

 private:
  struct Level {
    std::uint64_t end = 0;
    Common next_hop = nowhere;
  };
  std::array<Level, 33> levels_{};  // a prefix of each length
  std::size_t depth_ = 0;
};

// Both tables' nested prefixes, from the first address to the last.
class Sweep {
 public:
  void advance(std::uint64_t to) {
    while (position_ < to) {
      const auto next = std::min({to, before.end(), after.end()});
      if (before.next_hop() != after.next_hop())
        differing_ += next - position_;
      position_ = next;
      before.leave_before(position_);
      after.leave_before(position_);
    }
  }
  [[nodiscard]] std::uint64_t finish() {
    advance(all_addresses);
    return differing_;
  }

  Nest before;
  Nest after;

 private:
  std::uint64_t position_ = 0;
  std::uint64_t differing_ = 0;
};

}  // namespace

auto difference(Side before, Side after, const std::function<void(const Change&)>& visit) -> Difference {
  CommonNames names;
  const auto number_before = names.number(before.names);
  const auto number_after = names.number(after.names);
  Difference result;
  Sweep sweep;

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
