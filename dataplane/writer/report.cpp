// SPDX-License-Identifier: BSD-3-Clause
// What the writer tells about what runs.
#include <fmt/format.h>
#include <rte_cycles.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <string_view>
#include <vector>

#include "common/base/version.hpp"
#include "dataplane/forward/world.hpp"
#include "dataplane/port/packet_pool.hpp"
#include "dataplane/writer/books.hpp"
#include "dataplane/writer/convert.hpp"
#include "dataplane/writer/writer.hpp"

namespace sekisho::writer {
namespace {

constexpr const char* sources_table = "sources";

// Asking takes the kernel milliseconds, in which the writer does nothing else: not for every question of a client. A process has one
// pool.
port::PoolPages recent_pages(const rte_mempool& pool) {
  using Clock = std::chrono::steady_clock;
  static std::optional<Clock::time_point> asked;
  static port::PoolPages pages;
  if (!asked || Clock::now() - *asked > std::chrono::seconds{10}) {
    asked = Clock::now();
    pages = port::pages_of(pool);
  }
  return pages;
}

void assign(ipc::TableState& message, const std::string& zone, const fib::Fib& table) {
  const auto memory = table.memory();
  message.set_zone(zone);
  message.set_routes(table.size());
  message.set_extension_tables(memory.extension_tables);
  message.set_extension_tables_limit(memory.max_extension_tables);
  message.set_memory_bytes(memory.table_bytes + memory.shadow_bytes);
}

}  // namespace

ipc::State Writer::state() const {
  ipc::State state;
  state.set_version(std::string{base::version()});
  state.set_started_unix_ms(
      std::chrono::duration_cast<std::chrono::milliseconds>(started_.time_since_epoch()).count());
  state.set_transaction(live_.transaction);
  state.set_hugepages(options_.hugepages);
  const auto pages = recent_pages(*options_.pool);
  state.mutable_packet_memory()->set_bytes(pages.bytes);
  state.mutable_packet_memory()->set_reserved_hugepage_bytes(pages.reserved);
  state.mutable_packet_memory()->set_transparent_hugepage_bytes(pages.transparent);
  for (const auto lcore : options_.lcores) {
    state.add_lcores(lcore);
  }
  for (const auto& [name, port] : live_.ports) {
    *state.add_ports() = port_state(name, port);
  }
  for (const auto& [id, spec] : live_.configuration.adjacencies) {
    assign(*state.add_adjacencies(), id, spec);
  }
  for (const auto& [name, spec] : live_.configuration.next_hops) {
    const auto index = live_.next_hop_names.at(name).index;
    auto& message = *state.add_next_hops();
    assign(*message.mutable_next_hop(), name, spec);
    message.set_index(value_of(index));
    message.set_alive_members(spec.members.empty() ? 0 : live_.next_hops.alive_members(index));
  }
  for (const auto& [name, spec] : live_.configuration.zones) {
    assign(*state.add_zones(), name, spec);
  }
  for (const auto& [name, zone] : live_.zones) {
    assign(*state.add_tables(), name, *zone.table);
  }
  if (live_.configuration.exit) {
    *state.mutable_exit() = exit_state();
  }
  assign(*state.add_tables(), sources_table, *live_.sources);
  return state;
}

auto Writer::port_statistics(const std::string& name, const LivePort& port) const -> ipc::PortStatistics {
  auto statistics = books_of(live_, port);
  add(statistics, port.earlier);
  statistics.set_name(name);
  return statistics;
}

ipc::Statistics Writer::statistics() const {
  ipc::Statistics statistics;
  for (const auto& [name, port] : live_.ports) {
    *statistics.add_ports() = port_statistics(name, port);
  }
  for (const auto& [name, zone] : live_.zones) {
    auto& message = *statistics.add_zones();
    message.set_name(name);
    for (const auto* worker : live_.workers) {
      add(*message.mutable_counter(), worker->counters().zones[value_of(zone.index)]);
    }
  }
  for (const auto& [name, next_hop] : live_.next_hop_names) {
    auto& message = *statistics.add_next_hops();
    message.set_name(name);
    message.mutable_counter()->set_packets(next_hop.earlier.packets);
    message.mutable_counter()->set_bytes(next_hop.earlier.bytes);
    for (const auto* worker : live_.workers) {
      add(*message.mutable_counter(), worker->counters().next_hops[value_of(next_hop.index)]);
    }
  }
  for (const auto& [id, adjacency] : live_.adjacencies) {
    auto& message = *statistics.add_adjacencies();
    assign(*message.mutable_key(), id);
    for (const auto* worker : live_.workers) {
      add(*message.mutable_counter(), worker->counters().adjacencies[adjacency.index]);
    }
  }
  for (std::size_t i = 0; i < live_.workers.size(); ++i) {
    const auto& counted = live_.workers[i]->counters();
    auto& message = *statistics.add_workers();
    message.set_lcore(options_.lcores.at(i));
    message.set_bursts(counted.bursts.get());
    message.set_polls(counted.polls.get());
    message.set_sleeps(counted.sleeps.get());
  }
  return statistics;
}

ipc::LastDrops Writer::last_drops() const {
  std::vector<forward::DroppedPacket> packets;
  for (auto* worker : live_.workers) {
    worker->last_drops().read([&](const forward::DroppedPacket& packet) { packets.push_back(packet); });
  }
  std::ranges::sort(packets, std::greater{}, &forward::DroppedPacket::at);
  std::map<forward::PortIndex, std::string_view> ports;
  for (const auto& [name, port] : live_.ports) {
    ports.emplace(port.index, name);
  }
  const auto now = rte_rdtsc();
  std::array<unsigned, decide::drop_reason_count> count{};
  ipc::LastDrops result;
  for (const auto& packet : packets) {
    const auto port = ports.find(packet.port);
    const auto reason = static_cast<std::size_t>(packet.reason);
    if (port == ports.end() || ++count[reason] > forward::LastDrops::kept) {
      continue;
    }
    auto& message = *result.add_packets();
    message.set_port(std::string{port->second});
    message.set_reason(std::string{decide::drop_reason_texts[reason].name});
    message.set_generated(packet.generated);
    message.set_age_us(
        now < packet.at ? 0 : (now - packet.at) / std::max<std::uint64_t>(rte_get_tsc_hz() / 1'000'000, 1));
    message.set_size(packet.size);
    message.set_frame(packet.bytes().data(), packet.bytes().size());
  }
  return result;
}

auto Writer::routes(const std::string& zone) const -> tl::expected<RouteList, std::string> {
  const auto live = live_.zones.find(zone);
  if (live == live_.zones.end()) {
    return tl::unexpected(fmt::format("zone {} is not among the zones", zone));
  }
  const auto& table = *live->second.table;
  RouteList list{.zone = zone, .routes = {}, .next_hops = {}};
  for (const auto& [name, next_hop] : live_.next_hop_names) {
    list.next_hops.emplace(next_hop.index, name);
  }
  list.routes.reserve(table.size());
  table.for_each([&](const fib::Route& route) { list.routes.push_back(route); });
  return list;
}

auto Writer::next_hop_name(nexthop::NextHopIndex index) const -> std::string {
  for (const auto& [name, next_hop] : live_.next_hop_names) {
    if (next_hop.index == index) {
      return name;
    }
  }
  return {};
}

auto Writer::lookup(const ipc::Lookup& question) const -> tl::expected<ipc::Decision, std::string> {
  std::optional<forward::PortIndex> ingress;
  if (!question.port().empty()) {
    const auto port = live_.ports.find(question.port());
    if (port == live_.ports.end()) {
      return tl::unexpected(fmt::format("port {} is not among the ports", question.port()));
    }
    ingress = port->second.index;
  }
  // A ping between the two.
  const decide::Packet packet{.flow = {.source = question.source(),
                                       .destination = question.destination(),
                                       .protocol = packet::Protocol::icmp}};
  const auto found = decide::decide(forward::World(*live_.state, ingress), packet);
  ipc::Decision decision;
  decision.set_port_allowed(found.allowed);
  if (const auto reason = found.verdict.drop()) {
    decision.set_drop_reason(std::string{decide::drop_reason_texts[static_cast<std::size_t>(*reason)].name});
  }
  if (!found.zone) {
    return decision;
  }
  const auto zone =
      std::ranges::find_if(live_.zones, [&](const auto& z) { return z.second.index == *found.zone; });
  if (zone == live_.zones.end()) {
    return decision;
  }
  decision.set_zone(zone->first);
  if (const auto source = live_.sources->longest_match(question.source())) {
    assign(*decision.mutable_source_prefix(), source->prefix);
  }
  const auto route = zone->second.table->longest_match(question.destination());
  if (!found.next_hop || !route) {
    return decision;
  }
  assign(*decision.mutable_prefix(), route->prefix);
  decision.set_next_hop(next_hop_name(*found.next_hop));
  const auto adjacency =
      std::ranges::find_if(live_.adjacencies, [&](const auto& a) { return a.second.index == *found.member; });
  if (adjacency != live_.adjacencies.end()) {
    assign(*decision.mutable_adjacency(), adjacency->first,
           live_.configuration.adjacencies.at(adjacency->first));
  }
  return decision;
}

}  // namespace sekisho::writer
