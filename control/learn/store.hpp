// SPDX-License-Identifier: BSD-3-Clause
// The routes that are learned, as the kernel says them: told of every message, it gives what was learned at one moment. Pure: no
// sockets, and time is an argument.
//
// The problem is that the kernel is heard imperfectly. Messages are lost when a burst overruns the socket, routes that go with an
// interface go silently, and a listing is old when it is read. So a listing marks: what it did not name, and no message named
// since it began, is gone (mark and sweep); what a message said meanwhile counts more than the listing.
//
// A route that went is not believed to be gone here: it stays, `vanished`, until somebody who knows more decides
// (control/learn/hold.hpp): forget() or hold().
//
// Memory is bounded by max_prefixes: what is there stays, what comes beyond is counted and not kept. When there is room again,
// only another listing tells of it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "control/config/config.hpp"
#include "control/learn/route_message.hpp"
#include "control/route/learned.hpp"

namespace sekisho::learn {

class Store {
 public:
  explicit Store(config::Learning settings) : settings_(std::move(settings)) {}

  // A message; `in_listing`: it answers our question for all routes.
  void apply(const RouteMessage& message, bool in_listing, std::uint64_t now_unix_ms);
  void apply(const ObjectMessage& message);

  void begin_listing();
  void end_listing();
  // Something was said that only another listing makes clear: there was room again, two routes of one prefix and metric, or one
  // that a listing names after a message said that it is gone.
  [[nodiscard]] bool needs_listing() const noexcept { return needs_listing_; }

  // Prefixes that the kernel has no more and that are neither forgotten nor held.
  [[nodiscard]] std::size_t vanished() const noexcept { return vanished_.size(); }
  void forget_vanished();
  void hold_vanished();
  void forget_held();

  [[nodiscard]] std::size_t size() const noexcept { return entries_.size(); }
  [[nodiscard]] std::size_t held() const noexcept { return held_; }
  // That the kernel has, of the table and the protocols.
  [[nodiscard]] std::size_t in_kernel() const noexcept {
    return entries_.size() - held_ - vanished_.size() + excess();
  }
  // Beyond max_prefixes. Of more than a hundred thousand about so many, until the next listing.
  [[nodiscard]] std::size_t excess() const noexcept { return excess_.size() + more_excess_; }

  // Whether learned() would give something else than the last time.
  [[nodiscard]] bool is_dirty() const noexcept {
    return !dirty_.empty() || objects_changed_ || told_excess_ != excess();
  }
  [[nodiscard]] auto learned() -> std::shared_ptr<route::Learned>;

 private:
  using Key = std::uint64_t;  // address and length

  static constexpr std::size_t few_ways = 1024;

  // Where a route leads: an index into ways_, or a next-hop object.
  struct Way {
    std::uint32_t number = 0;
    bool is_object = false;
    friend bool operator==(const Way&, const Way&) = default;
  };
  // One of a prefix and metric. Of several of one metric the kernel takes the first.
  struct Path {
    std::uint32_t metric = 0;
    Way way;
    std::uint8_t protocol = 0;
    bool is_ambiguous = false;  // there are more of this metric
    std::uint32_t listing = 0;  // that named it, or during which a message did
    bool by_message = false;    // a message, since that listing began
  };
  enum class State : std::uint8_t { present, vanished, held };
  struct Entry {
    Path path;                                  // the best; of one that is not present the last
    std::unique_ptr<std::vector<Path>> others;  // of greater metrics, sorted; mostly null
    std::uint64_t since_unix_ms = 0;
    State state = State::present;
  };

  static Key key_of(base::Prefix prefix) { return Key{prefix.address} << 8U | prefix.length; }
  static base::Prefix prefix_of(Key key) {
    return {static_cast<std::uint32_t>(key >> 8U), static_cast<std::uint8_t>(key)};
  }

  [[nodiscard]] bool is_wanted(const RouteMessage& message) const;
  void add(const RouteMessage& message, bool in_listing, std::uint64_t now_unix_ms);
  void add_excess(Key key, bool is_known);
  void remove(const RouteMessage& message);
  void lose_best(Key key, Entry& entry);
  void set_state(Key key, Entry& entry, State state);
  [[nodiscard]] auto way_of(const RouteMessage& message) -> Way;
  [[nodiscard]] auto number_of(const route::LearnedWay& way) -> Way;
  // That no route leads any more.
  void forget_ways();
  [[nodiscard]] auto value(Way way) const -> route::LearnedWay;
  [[nodiscard]] auto resolve(std::uint32_t object) const -> route::LearnedWay;
  [[nodiscard]] auto index_in(route::Learned& learned, Way way,
                              std::map<std::uint32_t, std::uint32_t>& objects) const -> std::uint32_t;

  config::Learning settings_;
  std::unordered_map<Key, Entry> entries_;
  std::vector<route::LearnedWay> ways_;
  std::map<route::LearnedWay, std::uint32_t> way_indexes_;
  std::size_t many_ways_ = few_ways;                // of which some may be forgotten
  std::map<std::uint32_t, ObjectMessage> objects_;  // those that are gone, too

  std::uint32_t listing_ = 0;
  bool in_listing_ = false;
  std::set<std::pair<Key, std::uint32_t>> gone_;  // prefix and metric, by a message, since the listing began
  std::unordered_set<Key> excess_;
  std::size_t more_excess_ = 0;  // that there is no room for
  std::size_t told_excess_ = 0;
  bool needs_listing_ = false;

  std::unordered_set<Key> vanished_;
  std::size_t held_ = 0;
  std::vector<Key> dirty_;  // may stand there twice
  bool objects_changed_ = false;
  std::shared_ptr<const route::Learned> last_;
};

}  // namespace sekisho::learn
