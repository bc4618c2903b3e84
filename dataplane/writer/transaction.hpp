// SPDX-License-Identifier: BSD-3-Clause
// An open transaction: collects Changes, refuses what is wrong, and ends as one desired state, whether it was
// full or incremental. Nothing here touches what runs.
//
// Each Change is checked by itself when it comes; what takes the whole transaction (does a next hop's member
// exist?) waits for finish(). Within one Change, removals come before additions.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <unordered_map>
#include <vector>

#include "common/base/prefix.hpp"
#include "dataplane.pb.h"
#include "dataplane/fib/fib.hpp"
#include "dataplane/writer/configuration.hpp"

namespace sekisho::writer {

inline constexpr unsigned max_members = decide::max_members;  // of a next hop
inline constexpr std::size_t max_routes = 16'000'000;         // in one transaction
inline constexpr std::size_t max_sources = 1'000'000;         // of all zones

// A position in Target::next_hop_names.
enum class NameIndex : std::uint16_t {};
inline constexpr NameIndex withdraw{0};
[[nodiscard]] constexpr std::uint16_t value_of(NameIndex index) noexcept {
  return static_cast<std::uint16_t>(index);
}

struct NamedRoute {
  base::Prefix prefix;
  NameIndex next_hop = withdraw;
};

// What a transaction makes of one zone's table.
struct TableTarget {
  bool replace = false;  // `routes` are all that the table has afterwards; else they are changes to it
  std::vector<NamedRoute> routes;  // sorted, each prefix once
};

struct Target {
  Configuration configuration;
  std::vector<std::string> next_hop_names;  // [0] is no name: it stands for `withdraw`
  std::map<std::string, TableTarget> tables;
  // Only then are ports that failed tried again: an attempt takes a while, and an incremental transaction, a neighbour's death say, does
  // not wait for it.
  bool full = false;
};

// The running tables, as far as a transaction has to know them to be checked.
class RunningRoutes {
 public:
  virtual ~RunningRoutes() = default;
  // The next hop of exactly this prefix.
  [[nodiscard]] virtual std::optional<std::string_view> find(const std::string& zone,
                                                             base::Prefix prefix) const = 0;
  [[nodiscard]] virtual std::size_t count(const std::string& zone, const std::string& next_hop) const = 0;
};

class Transaction {
 public:
  using Result = tl::expected<void, std::string>;

  // `running` is what runs when the transaction begins; nothing else changes it until the end.
  Transaction(bool full, const Configuration& running);

  // After a refusal the transaction is of no use any more.
  [[nodiscard]] auto add(const ipc::Change& change) -> Result;
  [[nodiscard]] auto finish(const RunningRoutes& routes) && -> tl::expected<Target, std::string>;

 private:
  auto remove(const ipc::Change& change) -> Result;
  auto add_exit(const ipc::Change& change) -> Result;
  auto add_icmp(const ipc::Change& change) -> Result;
  auto add_options(const ipc::Change& change) -> Result;
  auto add_port(const ipc::Port& port) -> Result;
  auto add_adjacency(const ipc::Adjacency& adjacency) -> Result;
  auto add_next_hop(const ipc::NextHop& next_hop) -> Result;
  auto add_zone(const ipc::Zone& zone) -> Result;
  auto add_routes(const ipc::Routes& routes, bool withdrawn) -> Result;
  auto intern(const std::string& next_hop) -> NameIndex;

  auto check_ports() const -> Result;
  auto check_adjacencies() const -> Result;
  auto check_next_hops() const -> Result;
  auto check_zones() const -> Result;
  auto check_sources() const -> Result;
  auto check_routes(const RunningRoutes& running) const -> Result;
  auto check_withdrawn(const std::string& zone, const TableTarget& table, const RunningRoutes& running) const
      -> Result;
  auto check_removed_next_hops(const RunningRoutes& running) const -> Result;

  bool full_;
  const Configuration& running_;
  Target target_;
  // What was named: naming an object twice is a mistake of the one who asks.
  std::set<std::string> named_ports_, named_next_hops_, named_zones_;
  std::set<AdjacencyId> named_adjacencies_;
  std::unordered_map<std::string, NameIndex> names_;
  std::size_t routes_ = 0;
};

}  // namespace sekisho::writer
