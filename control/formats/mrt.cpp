// SPDX-License-Identifier: BSD-3-Clause
#include "control/formats/mrt.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <vector>

#include "common/base/prefix.hpp"
#include "control/formats/mrt_dump.hpp"

namespace sekisho::formats {
namespace {

// Finds where a peer's paths to one prefix end: a record has them together, and so have the records of TABLE_DUMP.
class Adjacent {
 public:
  [[nodiscard]] bool begins_with(base::Prefix prefix) {
    const auto begins = !last_ || *last_ != prefix;
    last_ = prefix;
    return begins;
  }

 private:
  std::optional<base::Prefix> last_;
};

// How many routes each peer has.
class Census {
 public:
  void add(std::uint32_t peer, base::Prefix prefix) {
    if (peer >= peers_.size())
      peers_.resize(peer + 1);
    peers_[peer].routes += peers_[peer].prefixes.begins_with(prefix) ? 1 : 0;
  }
  [[nodiscard]] std::size_t routes(std::uint32_t peer) const {
    return peer < peers_.size() ? peers_[peer].routes : 0;
  }

 private:
  struct Count {
    Adjacent prefixes;
    std::size_t routes = 0;
  };
  std::vector<Count> peers_;
};

// One peer's routes.
class Collector {
 public:
  Collector(RouteFile& result, std::size_t expected) : result_(result) { result_.routes.reserve(expected); }

  void add(base::Prefix prefix, const Path& path) {
    if (path.ipv6_next_hop) {
      ++ipv6_next_hops_;
      return;
    }
    if (prefixes_.begins_with(prefix)) {
      finish_route();
      prefix_ = prefix;
      best_ = path.rank;
    } else if (path.rank < best_) {
      best_ = path.rank;
      next_hops_.clear();
    } else if (path.rank > best_) {
      return;
    }
    next_hops_.push_back(path.next_hop);
  }

  // After the last path.
  void finish() {
    finish_route();
    if (ipv6_next_hops_ != 0)
      warn(fmt::format("{} paths have an IPv6 next hop and are left out", ipv6_next_hops_));
    if (shortened_ != 0)
      warn(fmt::format("{} routes have more than {} equal next hops, of which the lowest are kept",
                       shortened_, most_ecmp));
  }

 private:
  void finish_route() {
    if (next_hops_.empty())
      return;
    std::ranges::sort(next_hops_);
    const auto repeated = std::ranges::unique(next_hops_);
    next_hops_.erase(repeated.begin(), repeated.end());
    // Where one of several is an address, the one that is none adds nothing.
    if (next_hops_.front() == 0)
      next_hops_.erase(next_hops_.begin());
    if (next_hops_.size() > most_ecmp) {
      ++shortened_;
      next_hops_.resize(most_ecmp);
    }
    result_.routes.push_back({.prefix = prefix_, .origin = route::Origin::bgp, .next_hop = intern()});
    next_hops_.clear();
  }

  // A table has few next hops, and neighbouring routes mostly the same one.
  std::uint32_t intern() {
    if (last_ < result_.next_hops.size() && result_.next_hops[last_].addresses == next_hops_)
      return last_;
    const auto [entry, added] =
        ids_.try_emplace(next_hops_, static_cast<std::uint32_t>(result_.next_hops.size()));
    if (added) {
      using route::NextHopType;
      result_.next_hops.push_back({.type = next_hops_.empty()       ? NextHopType::named
                                           : next_hops_.size() == 1 ? NextHopType::virtual_appliance
                                                                    : NextHopType::virtual_appliance_ecmp,
                                   .name = {},
                                   .addresses = next_hops_});
    }
    return last_ = entry->second;
  }

  void warn(std::string text) {
    result_.findings.push_back(
        {.severity = base::Severity::warning, .where = {result_.file, 0, std::move(text)}});
  }

  RouteFile& result_;
  Adjacent prefixes_;
  base::Prefix prefix_;
  PathRank best_;
  std::vector<std::uint32_t> next_hops_;  // of the best paths so far
  std::map<std::vector<std::uint32_t>, std::uint32_t> ids_;
  std::uint32_t last_ = 0;
  std::size_t ipv6_next_hops_ = 0;
  std::size_t shortened_ = 0;
};

// Whether the address alone does not say which of these it is.
bool is_shared(const std::vector<Peer>& peers, const std::vector<std::uint32_t>& ids, std::uint32_t id) {
  return std::ranges::count(ids, peers[id].address, [&](std::uint32_t each) { return peers[each].address; }) >
         1;
}

// "193.203.0.1 (AS 1853, 112986 routes), ...", who has most first; of one address with their BGP identifiers.
auto list(const std::vector<Peer>& peers, const Census& census, std::vector<std::uint32_t> ids)
    -> std::string {
  std::ranges::stable_sort(ids, std::ranges::greater{}, [&](std::uint32_t id) { return census.routes(id); });
  std::vector<std::string> words;
  for (const auto id : ids)
    words.push_back(fmt::format(
        "{} (AS {}{}, {} route{})", to_string(peers[id].address), peers[id].as,
        is_shared(peers, ids, id) ? ", identifier " + base::address_to_string(peers[id].identifier) : "",
        census.routes(id), census.routes(id) == 1 ? "" : "s"));
  return fmt::format("{}", fmt::join(words, ", "));
}

// The one that is asked for, or the only one; nothing where the file holds no route and none is asked for.
auto choose(const std::vector<Peer>& peers, const Census& census, std::optional<std::uint32_t> wanted)
    -> tl::expected<std::optional<std::uint32_t>, std::string> {
  std::vector<std::uint32_t> with_routes;
  std::vector<std::uint32_t> named;
  for (std::uint32_t id = 0; id < peers.size(); ++id) {
    if (census.routes(id) == 0)
      continue;
    if (wanted && peers[id].address.is(*wanted))
      named.push_back(id);
    with_routes.push_back(id);
  }
  if (named.size() == 1)
    return named.front();
  if (named.size() > 1)
    return tl::unexpected(fmt::format("holds routes of {} peers of one address, which does not say whose: {}",
                                      named.size(), list(peers, census, named)));
  if (wanted && with_routes.empty())
    return tl::unexpected(
        fmt::format("holds no IPv4 route, and so none of peer {}", base::address_to_string(*wanted)));
  if (wanted)
    return tl::unexpected(fmt::format("holds no route of peer {}, but of {}",
                                      base::address_to_string(*wanted), list(peers, census, with_routes)));
  if (with_routes.size() > 1)
    return tl::unexpected(fmt::format("holds routes of {} peers, of which one has to be chosen: {}",
                                      with_routes.size(), list(peers, census, with_routes)));
  return with_routes.empty() ? std::nullopt : std::optional{with_routes.front()};
}

}  // namespace

bool is_mrt(std::string_view bytes) noexcept {
  return begins_with_mrt_header(bytes);
}

auto parse_mrt(std::string_view bytes, const std::filesystem::path& file, std::optional<std::uint32_t> peer)
    -> tl::expected<RouteFile, base::Error> {
  const auto refuse = [&](std::string reason) {
    return tl::unexpected(base::Error{file, 0, std::move(reason)});
  };
  // Twice over the bytes rather than once with everybody's routes in memory: a collector has a hundred peers.
  MrtDump dump{bytes};
  Census census;
  const auto walked = dump.walk(
      [&](std::uint32_t each, base::Prefix prefix, const Path& /*path*/) { census.add(each, prefix); });
  if (!walked)
    return refuse(fmt::format("byte {}: {}", walked.error().offset, walked.error().reason));
  // The one that is asked for is whole or refused.
  const auto refuse_path = [&](const Malformed& path) {
    return refuse(fmt::format("byte {}: {}", path.offset, path.reason));
  };
  for (const auto& [id, dropped] : dump.dropped())
    if (peer && dump.peers()[id].address.is(*peer))
      return refuse_path(dropped.first);
  const auto chosen = choose(dump.peers(), census, peer);
  if (!chosen)
    return refuse(chosen.error());
  if (const auto own = *chosen ? dump.dropped().find(**chosen) : dump.dropped().begin();
      own != dump.dropped().end())
    return refuse_path(own->second.first);

  RouteFile result{.file = file, .format = Format::mrt};
  result.ipv6 = dump.ipv6();
  for (const auto& [name, count] : dump.left_out())
    result.findings.push_back(
        {.severity = base::Severity::warning,
         .where = {file, 0, fmt::format("{} records of {} are left out", count, name)}});
  for (const auto& [id, dropped] : dump.dropped())
    result.findings.push_back(
        {.severity = base::Severity::warning,
         .where = {
             file, 0,
             fmt::format("{} malformed path{} of peer {} (AS {}) {} dropped, the first at byte {}: {}",
                         dropped.paths, dropped.paths == 1 ? "" : "s", to_string(dump.peers()[id].address),
                         dump.peers()[id].as, dropped.paths == 1 ? "is" : "are", dropped.first.offset,
                         dropped.first.reason)}});
  if (!*chosen)
    return result;
  Collector collector{result, census.routes(**chosen)};
  // Every byte was checked: what can go wrong has gone wrong before.
  static_cast<void>(dump.walk([&](std::uint32_t each, base::Prefix prefix, const Path& path) {
    if (each == **chosen)
      collector.add(prefix, path);
  }));
  collector.finish();
  return result;
}

}  // namespace sekisho::formats
