// SPDX-License-Identifier: BSD-3-Clause
#include "control/learn/store.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

namespace sekisho::learn {
namespace {

using route::LearnedRoute;
using route::LearnedWay;

constexpr std::size_t most_paths = 8;         // of other metrics, of one prefix
constexpr std::size_t most_excess = 100'000;  // prefixes that are known and not kept
constexpr std::size_t most_objects = 65'536;  // next-hop objects
constexpr std::uint32_t most_ways = 65'536;

}  // namespace

// --- What is said.

bool Store::is_wanted(const RouteMessage& message) const {
  return message.table == settings_.table &&
         std::ranges::binary_search(settings_.protocols, message.protocol);
}

void Store::apply(const RouteMessage& message, bool in_listing, std::uint64_t now_unix_ms) {
  if (message.table != settings_.table)
    return;
  if (message.gone) {
    remove(message);
  } else if (is_wanted(message)) {
    add(message, in_listing, now_unix_ms);
  } else if (message.replaces) {
    remove(message);  // if ours was there, it is no more
  }
}

void Store::apply(const ObjectMessage& message) {
  if (message.gone) {
    // The routes over it are gone without a word. What they led to is known until they have vanished.
    needs_listing_ = true;
    if (const auto known = objects_.find(message.id); known != objects_.end())
      known->second.gone = true;
    if (objects_.size() > most_objects / 2)
      std::erase_if(objects_, [](const auto& object) { return object.second.gone; });
  } else if (objects_.size() < most_objects || objects_.contains(message.id)) {
    auto& object = objects_[message.id];
    objects_changed_ |= object.way != message.way || object.group != message.group;
    object = message;
  }
}

auto Store::way_of(const RouteMessage& message) -> Way {
  return message.object != 0 ? Way{message.object, true} : number_of(message.way);
}

auto Store::number_of(const LearnedWay& way) -> Way {
  const auto known = way_indexes_.find(way);
  if (known != way_indexes_.end())
    return {known->second, false};
  const auto number = static_cast<std::uint32_t>(ways_.size());
  if (number < most_ways) {
    way_indexes_.emplace(way, number);
    ways_.push_back(way);
    return {number, false};
  }
  if (number == most_ways)
    ways_.push_back({.kind = LearnedWay::Kind::unusable,
                     .why = fmt::format("there are more than {} ways that routes lead", most_ways)});
  return {most_ways, false};
}

void Store::add(const RouteMessage& message, bool in_listing, std::uint64_t now_unix_ms) {
  const auto key = key_of(message.prefix);
  auto found = entries_.find(key);
  if (in_listing && gone_.contains({key, message.metric})) {
    needs_listing_ = true;  // it is older than what was said since, or a second one of its metric
    return;
  }
  if (!in_listing)
    gone_.erase({key, message.metric});
  if (found == entries_.end() && entries_.size() >= settings_.max_prefixes) {
    add_excess(key, message.replaces);
    return;
  }
  Path path{.metric = message.metric,
            .way = way_of(message),
            .protocol = message.protocol,
            .listing = listing_,
            .by_message = !in_listing};
  if (found == entries_.end()) {
    excess_.erase(key);
    entries_.emplace(key, Entry{.path = path, .others = nullptr, .since_unix_ms = now_unix_ms});
    dirty_.push_back(key);
    return;
  }
  auto& entry = found->second;
  if (entry.state != State::present) {
    const bool is_same = value(entry.path.way) == value(path.way) && entry.path.protocol == path.protocol;
    entry.path = path;
    entry.others.reset();
    if (!is_same)
      entry.since_unix_ms = now_unix_ms;
    set_state(key, entry, State::present);
    dirty_.push_back(key);
    return;
  }
  auto* same = &entry.path;
  if (entry.path.metric != path.metric) {
    if (!entry.others)
      entry.others = std::make_unique<std::vector<Path>>();
    const auto place = std::ranges::lower_bound(*entry.others, path.metric, {}, &Path::metric);
    if (place == entry.others->end() || place->metric != path.metric) {
      if (path.metric < entry.path.metric) {
        entry.others->insert(entry.others->begin(), std::exchange(entry.path, path));
        entry.since_unix_ms = now_unix_ms;
        dirty_.push_back(key);
      } else if (entry.others->size() < most_paths) {
        entry.others->insert(place, path);
      }
      return;
    }
    same = &*place;
  }
  const bool is_another = same->way != path.way || same->protocol != path.protocol;
  const bool is_known = same->listing == listing_;
  if (is_another && in_listing && is_known) {
    // The second of one metric in a listing, or one that was replaced since: the first counts.
    same->is_ambiguous |= !same->by_message;
    return;
  }
  if (is_another && !in_listing && !message.replaces) {
    // Before or behind the one that is there? The listing is in the kernel's order.
    same->is_ambiguous = true;
    needs_listing_ = true;
    same->listing = listing_;
    return;
  }
  path.is_ambiguous = same->is_ambiguous && !in_listing;
  *same = path;
  if (is_another && same == &entry.path) {
    entry.since_unix_ms = now_unix_ms;
    dirty_.push_back(key);
  }
}

void Store::add_excess(Key key, bool is_known) {
  if (excess_.size() < most_excess)
    excess_.insert(key);
  else if (!excess_.contains(key) && !is_known)
    ++more_excess_;
}

void Store::remove(const RouteMessage& message) {
  const auto key = key_of(message.prefix);
  // Of a route that is not ours nothing is said of ours.
  if (!is_wanted(message) && !message.replaces)
    return;
  if (in_listing_)
    gone_.emplace(key, message.metric);
  const auto found = entries_.find(key);
  if (found == entries_.end()) {
    if (excess_.erase(key) == 0 && is_wanted(message) && more_excess_ != 0)
      --more_excess_;
    return;
  }
  auto& entry = found->second;
  if (entry.state != State::present)
    return;
  auto* path = &entry.path;
  if (entry.path.metric != message.metric) {
    if (!entry.others)
      return;
    const auto place = std::ranges::find(*entry.others, message.metric, &Path::metric);
    if (place == entry.others->end())
      return;
    path = &*place;
  }
  if (path->is_ambiguous) {
    needs_listing_ = true;  // which of them it was, and which is next
    gone_.erase({key, message.metric});
    return;
  }
  if (path->protocol != message.protocol && !message.replaces)
    return;
  if (path == &entry.path)
    lose_best(key, entry);
  else
    entry.others->erase(entry.others->begin() + (path - entry.others->data()));
}

void Store::lose_best(Key key, Entry& entry) {
  if (entry.others && !entry.others->empty()) {
    entry.path = entry.others->front();
    entry.others->erase(entry.others->begin());
    dirty_.push_back(key);
  } else {
    set_state(key, entry, State::vanished);
  }
}

void Store::set_state(Key key, Entry& entry, State state) {
  if (entry.state == state)
    return;
  held_ -= entry.state == State::held ? 1 : 0;
  if (entry.state == State::vanished)
    vanished_.erase(key);
  entry.state = state;
  held_ += state == State::held ? 1 : 0;
  if (state == State::vanished) {
    vanished_.insert(key);
    // An object of that number may be another soon.
    if (entry.path.way.is_object)
      entry.path.way = number_of(resolve(entry.path.way.number));
  }
}

// --- Listings.

void Store::begin_listing() {
  ++listing_;
  in_listing_ = true;
  needs_listing_ = false;
  gone_.clear();
  excess_.clear();
  more_excess_ = 0;
}

void Store::end_listing() {
  in_listing_ = false;
  gone_.clear();
  const auto is_unnamed = [this](const Path& path) { return path.listing != listing_; };
  for (auto& [key, entry] : entries_) {
    if (entry.state != State::present)
      continue;
    if (entry.others)
      std::erase_if(*entry.others, is_unnamed);
    if (is_unnamed(entry.path))
      lose_best(key, entry);
  }
}

// --- Routes that went.

void Store::forget_vanished() {
  for (const auto key : vanished_) {
    entries_.erase(key);
    dirty_.push_back(key);
  }
  vanished_.clear();
  needs_listing_ |= excess() != 0;
}

void Store::hold_vanished() {
  for (const auto key : std::vector<Key>(vanished_.begin(), vanished_.end())) {
    set_state(key, entries_.at(key), State::held);
    dirty_.push_back(key);
  }
}

void Store::forget_held() {
  if (held_ == 0)
    return;
  for (auto entry = entries_.begin(); entry != entries_.end();) {
    if (entry->second.state == State::held) {
      dirty_.push_back(entry->first);
      entry = entries_.erase(entry);
    } else {
      ++entry;
    }
  }
  held_ = 0;
  needs_listing_ |= excess() != 0;
}

// --- What was learned.

auto Store::value(Way way) const -> LearnedWay {
  return way.is_object ? resolve(way.number) : ways_[way.number];
}

auto Store::resolve(std::uint32_t object) const -> LearnedWay {
  const auto found = objects_.find(object);
  if (found == objects_.end())
    return {.kind = LearnedWay::Kind::unusable,
            .why = fmt::format("next-hop object {} is not known", object)};
  if (found->second.group.empty())
    return found->second.way;
  LearnedWay result;
  for (const auto& [id, weight] : found->second.group) {
    const auto member = objects_.find(id);
    if (member == objects_.end() || !member->second.group.empty())
      continue;
    const auto& way = member->second.way;
    if (way.kind != LearnedWay::Kind::forward)
      return way;
    for (auto hop : way.hops) {
      hop.weight = weight;
      result.hops.push_back(hop);
    }
  }
  std::ranges::sort(result.hops);
  if (result.hops.empty())
    return {.kind = LearnedWay::Kind::unusable,
            .why = fmt::format("next-hop object {} has no members", object)};
  return result;
}

auto Store::index_in(route::Learned& learned, Way way, std::map<std::uint32_t, std::uint32_t>& objects) const
    -> std::uint32_t {
  if (!way.is_object)
    return way.number;
  const auto [entry, is_new] =
      objects.try_emplace(way.number, static_cast<std::uint32_t>(learned.ways.size()));
  if (is_new)
    learned.ways.push_back(resolve(way.number));
  return entry->second;
}

// Seldom: when there are twice as many as were left, or no room for another.
void Store::forget_ways() {
  constexpr auto unused = ~std::uint32_t{0};
  std::vector<std::uint32_t> numbers(ways_.size(), unused);
  const auto each_path = [this](const auto& call) {
    for (auto& [key, entry] : entries_) {
      call(entry.path.way);
      if (entry.others)
        for (auto& path : *entry.others)
          call(path.way);
    }
  };
  each_path([&](Way way) {
    if (!way.is_object)
      numbers[way.number] = 0;
  });
  const bool is_any_unknown = numbers.size() > most_ways && numbers[most_ways] != unused;
  std::vector<LearnedWay> left;
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    if (numbers[i] == unused)
      continue;
    numbers[i] = static_cast<std::uint32_t>(left.size());
    left.push_back(std::move(ways_[i]));
  }
  each_path([&](Way& way) {
    if (!way.is_object)
      way.number = numbers[way.number];
  });
  way_indexes_.clear();
  for (std::uint32_t i = 0; i < left.size(); ++i)
    way_indexes_.emplace(left[i], i);
  ways_ = std::move(left);
  many_ways_ = std::clamp<std::size_t>(2 * ways_.size(), few_ways, most_ways);
  // Where a route leads that found no room only a listing says.
  needs_listing_ |= is_any_unknown && ways_.size() <= most_ways / 2;
}

// What did not change is taken from the last time: 900,000 routes are not sorted for the sake of one.
auto Store::learned() -> std::shared_ptr<route::Learned> {
  if (ways_.size() >= many_ways_)
    forget_ways();
  auto result = std::make_shared<route::Learned>();
  result->ways = ways_;
  std::ranges::sort(dirty_);
  dirty_.erase(std::ranges::unique(dirty_).begin(), dirty_.end());
  std::map<std::uint32_t, std::uint32_t> objects;
  auto& routes = result->routes;
  routes.reserve(entries_.size());
  const auto add = [&](Key key) {
    const auto found = entries_.find(key);
    if (found == entries_.end())
      return;
    const auto& entry = found->second;
    routes.push_back({.prefix = prefix_of(key),
                      .way = index_in(*result, entry.path.way, objects),
                      .protocol = entry.path.protocol,
                      .held = entry.state == State::held,
                      .since_unix_ms = entry.since_unix_ms});
  };
  auto next = dirty_.begin();
  if (last_) {
    for (const auto& route : last_->routes) {
      const auto key = key_of(route.prefix);
      for (; next != dirty_.end() && *next < key; ++next)
        add(*next);
      if (next != dirty_.end() && *next == key)
        add(*next++);
      else
        add(key);
    }
  }
  for (; next != dirty_.end(); ++next)
    add(*next);
  dirty_.clear();
  objects_changed_ = false;
  result->held = held_;
  result->in_excess = told_excess_ = excess();
  last_ = result;
  return result;
}

}  // namespace sekisho::learn
