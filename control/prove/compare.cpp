// SPDX-License-Identifier: BSD-3-Clause
#include "control/prove/compare.hpp"

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>

#include "control/prove/scope.hpp"

namespace sekisho::prove {
namespace {

using route::AddressSet;

// Joins ranges that come in order, and leaves out what no packet has.
class Joined {
 public:
  explicit Joined(const VisitMoved& visit) : visit_(visit) {}

  void add(const Moved& moved) {
    while (martian_ != impossible_.ranges().end() && martian_->last < moved.range.first)
      ++martian_;
    auto first = std::uint64_t{moved.range.first};
    for (auto next = martian_; next != impossible_.ranges().end() && next->first <= moved.range.last;
         ++next) {
      if (next->first > first)
        join({{static_cast<std::uint32_t>(first), next->first - 1}, moved.before, moved.after});
      first = std::uint64_t{next->last} + 1;
    }
    if (first <= moved.range.last)
      join({{static_cast<std::uint32_t>(first), moved.range.last}, moved.before, moved.after});
  }
  [[nodiscard]] auto finish() -> std::uint64_t {
    if (waiting_) {
      sum_ += std::uint64_t{waiting_->range.last} - waiting_->range.first + 1;
      visit_(*waiting_);
      waiting_.reset();
    }
    return sum_;
  }

 private:
  void join(const Moved& moved) {
    if (waiting_ && std::uint64_t{waiting_->range.last} + 1 == moved.range.first &&
        waiting_->before == moved.before && waiting_->after == moved.after) {
      waiting_->range.last = moved.range.last;
      return;
    }
    (void)finish();
    waiting_ = moved;
  }

  const VisitMoved& visit_;
  AddressSet impossible_ = martians();
  std::vector<AddressSet::Range>::const_iterator martian_ = impossible_.ranges().begin();
  std::optional<Moved> waiting_;
  std::uint64_t sum_ = 0;
};

void ignore(const route::Change& /*by prefix*/) {}

auto destination_of(const std::string* next_hop) -> std::string_view {
  return next_hop == nullptr || *next_hop == policy::none ? config::dropped : std::string_view{*next_hop};
}

// A table of sources, whose next hops are zones.
struct SourceTable {
  route::RouteTable table;
  route::Names names;
};

auto table_of(const std::vector<ZoneSources>& zones) -> SourceTable {
  SourceTable result;
  for (const auto& zone : zones) {
    const auto name = result.names.intern(zone.name);
    for (const auto source : zone.sources)
      result.table.add({.prefix = source, .origin = route::Origin::user, .next_hop = name});
  }
  result.table.finish();
  return result;
}

}  // namespace

auto moved_destinations(route::Side before, route::Side after, const VisitMoved& visit) -> std::uint64_t {
  Joined joined{visit};
  route::difference(before, after, ignore, [&](const route::Moved& moved) {
    const Moved named{{moved.first, moved.last}, destination_of(moved.before), destination_of(moved.after)};
    if (named.before != named.after)
      joined.add(named);
  });
  return joined.finish();
}

auto zone_sources(const policy::Policy& policy) -> std::vector<ZoneSources> {
  std::vector<ZoneSources> result;
  std::ranges::transform(policy.zones, std::back_inserter(result), [](const policy::ZonePolicy& zone) {
    return ZoneSources{zone.name, zone.sources};
  });
  return result;
}

auto moved_sources(const std::vector<ZoneSources>& before, const std::vector<ZoneSources>& after,
                   const VisitMoved& visit) -> std::uint64_t {
  const auto old = table_of(before);
  const auto now = table_of(after);
  Joined joined{visit};
  const auto zone = [](const std::string* name) { return name == nullptr ? std::string_view{} : *name; };
  route::difference({old.table, old.names}, {now.table, now.names}, ignore, [&](const route::Moved& moved) {
    joined.add({{moved.first, moved.last}, zone(moved.before), zone(moved.after)});
  });
  return joined.finish();
}

}  // namespace sekisho::prove
