// SPDX-License-Identifier: BSD-3-Clause
#include "control/metrics/exposition.hpp"
#include "common/base/version.hpp"
#include "control/metrics/bgp.hpp"

#include <algorithm>
#include <chrono>
#include <map>

#include "common/base/prefix.hpp"
#include "control/policy/learned.hpp"
#include "control/serve/reasons.hpp"
#include "control/serve/verdict.hpp"

namespace sekisho::metrics {
namespace {

double seconds(std::uint64_t unix_ms) {
  return static_cast<double>(unix_ms) / 1000;
}

// One sample a port, zone, worker, ... of a list in a message.
template <typename List, typename Sample>
void family(Text& text, std::string_view name, Type type, std::string_view unit, std::string_view help,
            const List& list, Sample sample) {
  text.family(name, type, unit, help);
  for (const auto& entry : list) {
    sample(entry);
  }
}

void add_control(Text& text, const Known& known) {
  text.family("sekisho_build", Type::info, "", "Version of sekisho-control.");
  text.sample({{"version", std::string{base::version()}}}, std::uint64_t{1});
  text.family("sekisho_start_time_seconds", Type::gauge, "seconds",
              "When sekisho-control started, in Unix time.");
  text.sample({}, seconds(known.started_unix_ms));

  const auto& reloads = known.reloads;
  text.family("sekisho_config_reloads", Type::counter, "",
              "Reloads of the configuration since the start, by result.");
  text.sample({{"result", "success"}}, reloads.succeeded);
  text.sample({{"result", "failure"}}, reloads.failed);
  text.family("sekisho_config_last_reload_successful", Type::gauge, "",
              "1 when the configuration that was read last is in use, 0 when it was refused.");
  text.sample({}, one_if(reloads.last_succeeded));
  text.family("sekisho_config_last_reload_success_timestamp_seconds", Type::gauge, "seconds",
              "When the configuration in use was taken, in Unix time.");
  text.sample({}, seconds(reloads.last_success_unix_ms));
  text.family("sekisho_config_warnings", Type::gauge, "", "Warnings about the configuration in use.");
  text.sample({}, std::uint64_t{known.policy.warnings.size()});

  text.family("sekisho_health", Type::gauge, "",
              "The verdict of `sekisho show state`: 0 forwarding, 1 degraded, 2 closed.");
  text.sample({}, static_cast<std::uint64_t>(serve::judge(known.policy, known.problems).word));
  text.family("sekisho_draining", Type::gauge, "",
              "1 while the appliance is being drained: its health endpoint answers 503.");
  text.sample({}, one_if(known.is_draining));
  text.family(
      "sekisho_problems", Type::gauge, "",
      "What `sekisho show state` says is wrong, by kind; next_hop_degraded, port_differs and files_changed "
      "are warnings.");
  for (const auto kind : serve::problem_kinds) {
    text.sample({{"kind", kind}},
                static_cast<std::uint64_t>(std::ranges::count(known.problems, kind, &serve::Problem::kind)));
  }

  text.family("sekisho_dataplane_connected", Type::gauge, "",
              "1 when sekisho-control and sekisho-dataplane talk to each other.");
  text.sample({}, one_if(known.live.state.has_value()));
}

void add_dataplane(Text& text, const ipc::State& state) {
  text.family("sekisho_dataplane_build", Type::info, "", "Version of sekisho-dataplane.");
  text.sample({{"version", state.version()}}, std::uint64_t{1});
  text.family("sekisho_dataplane_start_time_seconds", Type::gauge, "seconds",
              "When sekisho-dataplane started, in Unix time.");
  text.sample({}, seconds(state.started_unix_ms()));
  text.family("sekisho_dataplane_transactions", Type::counter, "",
              "Transactions that the dataplane has committed since it started.");
  text.sample({}, std::uint64_t{state.transaction()});
  text.family("sekisho_dataplane_hugepages", Type::gauge, "",
              "1 when DPDK's memory is in reserved hugepages.");
  text.sample({}, one_if(state.hugepages()));
  const auto& memory = state.packet_memory();
  const auto reserved = memory.reserved_hugepage_bytes();
  const auto transparent = memory.transparent_hugepage_bytes();
  text.family("sekisho_dataplane_packet_memory_bytes", Type::gauge, "bytes",
              "Memory of the packet buffers, by the pages that the kernel has given to it.");
  text.sample({{"pages", "reserved"}}, reserved);
  text.sample({{"pages", "transparent"}}, transparent);
  text.sample({{"pages", "small"}}, memory.bytes() - reserved - transparent);
}

// Of routes that a zone's table has the numbers say nothing: sekisho_zone_routes does.
void add_learning(Text& text, const policy::Policy& policy, const policy::Taken& taken) {
  const auto& learned = *taken.learned;
  text.family("sekisho_learned_routes", Type::gauge, "",
              "Prefixes that are learned from the kernel's routes.");
  text.sample({}, std::uint64_t{learned.routes.size()});
  text.family("sekisho_learned_refused", Type::gauge, "",
              "Learned prefixes that no zone takes: `sekisho show learned` says why.");
  text.sample({}, std::uint64_t{taken.refused});
  text.family("sekisho_learned_in_excess", Type::gauge, "",
              "Prefixes that are not learned because of max_prefixes.");
  text.sample({}, std::uint64_t{learned.in_excess});
  text.family("sekisho_learned_held", Type::gauge, "",
              "Learned prefixes that the kernel has no more and that are held, because their daemon went.");
  text.sample({}, std::uint64_t{learned.held});
  text.family("sekisho_learned_sources", Type::gauge, "", "Learned prefixes that are sources of zones.");
  text.sample({}, std::uint64_t{taken.sources});
  text.family("sekisho_learned_default_followed", Type::gauge, "",
              "1 of a zone with follow_default whose default is a learned one.");
  for (const auto& zone : policy.config.zones) {
    if (zone.follow_default) {
      text.sample({{"zone", zone.name}}, one_if(taken.follows.contains(zone.name)));
    }
  }
}

// By control's word, which is what the dataplane is told; a member of two next hops stands in both.
void add_members(Text& text, const Known& known) {
  const auto each = [&](std::string_view name, Type type, std::string_view unit, std::string_view help,
                        auto sample) {
    text.family(name, type, unit, help);
    for (const auto& next_hop : known.policy.config.next_hops) {
      for (const auto& member : known.members) {
        if (std::ranges::find(next_hop.members, member.address) != next_hop.members.end()) {
          sample(next_hop.name, base::address_to_string(member.address), member);
        }
      }
    }
  };
  each("sekisho_member_up", Type::gauge, "",
       "1 when the member is alive: its link, its neighbour entry and its probe say so.",
       [&](std::string_view next_hop, const std::string& address, const reach::Member& member) {
         text.sample({{"next_hop", next_hop}, {"address", address}, {"port", member.port}},
                     one_if(member.alive));
       });
  each("sekisho_member_transitions", Type::counter, "",
       "Times that the member came back or went since sekisho-control started.",
       [&](std::string_view next_hop, const std::string& address, const reach::Member& member) {
         text.sample({{"next_hop", next_hop}, {"address", address}, {"to", "up"}}, std::uint64_t{member.ups});
         text.sample({{"next_hop", next_hop}, {"address", address}, {"to", "down"}},
                     std::uint64_t{member.downs});
       });
  each("sekisho_member_probe_round_trip_seconds", Type::gauge, "seconds",
       "Of the last probe of the member that was answered.",
       [&](std::string_view next_hop, const std::string& address, const reach::Member& member) {
         if (member.round_trip) {
           text.sample({{"next_hop", next_hop}, {"address", address}},
                       std::chrono::duration<double>(*member.round_trip).count());
         }
       });
}

// A port forwards when the dataplane runs it and its link is up. The kernel speaks for the link of a device that is an
// interface of its own; of others only the dataplane knows.
bool is_up(const Known& known, const config::Port& port) {
  const auto& states = known.live.state->ports();
  const auto state = std::ranges::find(states, port.name, &ipc::PortState::name);
  if (state == states.end() || !state->running()) {
    return false;
  }
  const auto* link = known.mirror.link_of(port);
  return !port.has_netdev() || (link != nullptr && link->up);
}

void add_port_states(Text& text, const Known& known) {
  text.family("sekisho_port_up", Type::gauge, "", "1 when the dataplane runs the port and its link is up.");
  for (const auto& port : known.policy.config.ports) {
    text.sample({{"port", port.name}}, one_if(is_up(known, port)));
  }
}

void add_next_hop_states(Text& text, const Known& known) {
  std::map<std::string_view, std::uint64_t> alive;
  std::map<std::string_view, std::uint64_t> drained;
  bool leaves = false;
  for (const auto& state : known.live.state->next_hops()) {
    alive[state.next_hop().name()] = state.alive_members();
    drained[state.next_hop().name()] =
        static_cast<std::uint64_t>(std::ranges::count_if(state.next_hop().members(), &ipc::Member::drained));
    leaves = leaves || state.next_hop().action() == ipc::NextHop::EXIT;
  }
  const auto& next_hops = known.policy.config.next_hops;
  family(text, "sekisho_next_hop_up", Type::gauge, "",
         "1 when the dataplane forwards to a member of the next hop; of Internet, when it lets packets out.",
         next_hops, [&](const config::NextHop& next_hop) {
           text.sample({{"next_hop", next_hop.name}}, one_if(alive[next_hop.name] != 0));
         });
  if (const auto& internet = known.policy.config.internet; internet && internet->exit) {
    text.sample({{"next_hop", policy::leave}}, one_if(leaves));
  }
  family(text, "sekisho_next_hop_members", Type::gauge, "", "Configured members of the next hop, by state.",
         next_hops, [&](const config::NextHop& next_hop) {
           const std::uint64_t all = next_hop.members.size();
           const auto up = std::min(alive[next_hop.name], all);
           text.sample({{"next_hop", next_hop.name}, {"state", "alive"}}, up);
           const auto out = std::min(drained[next_hop.name], all - up);
           text.sample({{"next_hop", next_hop.name}, {"state", "drained"}}, out);
           text.sample({{"next_hop", next_hop.name}, {"state", "down"}}, all - up - out);
         });
}

void add_adjacency_states(Text& text, const ipc::State& state) {
  family(text, "sekisho_adjacency_up", Type::gauge, "",
         "1 when the neighbour that a next hop uses is resolved and its port's link is up.",
         state.adjacencies(), [&](const ipc::Adjacency& adjacency) {
           text.sample({{"port", adjacency.key().port()},
                        {"address", base::address_to_string(adjacency.key().address())}},
                       one_if(adjacency.alive()));
         });
}

void add_tables(Text& text, const ipc::State& state) {
  const auto size = [&](std::string_view name, std::string_view unit, std::string_view help, auto value) {
    family(text, name, Type::gauge, unit, help, state.tables(), [&](const ipc::TableState& table) {
      text.sample({{"table", table.zone()}}, std::uint64_t{value(table)});
    });
  };
  size("sekisho_table_routes", "routes",
       "Routes in a zone's table; in \"sources\": prefixes of zones' sources, and own addresses.",
       [](const ipc::TableState& table) { return table.routes(); });
  size("sekisho_table_extension_tables", "",
       "Extension tables in use: one for each /24 that has longer prefixes.",
       [](const ipc::TableState& table) { return table.extension_tables(); });
  size("sekisho_table_extension_tables_limit", "", "Extension tables that the table may have.",
       [](const ipc::TableState& table) { return table.extension_tables_limit(); });
  size("sekisho_table_memory_bytes", "bytes", "Memory of the table and of the prefixes behind it.",
       [](const ipc::TableState& table) { return table.memory_bytes(); });
}

void add_port_counters(Text& text, const ipc::Statistics& statistics) {
  const auto add = [&](std::string_view name, Type type, std::string_view unit, std::string_view help,
                       auto value) {
    family(text, name, type, unit, help, statistics.ports(), [&](const ipc::PortStatistics& port) {
      text.sample({{"port", port.name()}}, std::uint64_t{value(port)});
    });
  };
  add("sekisho_port_rx_packets", Type::counter, "packets", "Frames that workers received.",
      [](const ipc::PortStatistics& port) { return port.rx().packets(); });
  add("sekisho_port_rx_bytes", Type::counter, "bytes", "Bytes of the frames that workers received.",
      [](const ipc::PortStatistics& port) { return port.rx().bytes(); });
  add("sekisho_port_tx_packets", Type::counter, "packets", "Frames that the device took for sending.",
      [](const ipc::PortStatistics& port) { return port.tx().packets(); });
  add("sekisho_port_tx_bytes", Type::counter, "bytes",
      "Bytes of the frames that the device took for sending.",
      [](const ipc::PortStatistics& port) { return port.tx().bytes(); });
  add("sekisho_port_host_packets", Type::counter, "packets", "Frames that workers gave to the host.",
      [](const ipc::PortStatistics& port) { return port.host(); });
  add("sekisho_port_missed_packets", Type::counter, "packets", "Frames that the device had no room for.",
      [](const ipc::PortStatistics& port) { return port.missed(); });
  add("sekisho_port_held_packets", Type::gauge, "packets",
      "Frames that the device received and no worker took yet.",
      [](const ipc::PortStatistics& port) { return port.held(); });
  add("sekisho_port_waiting_packets", Type::gauge, "packets",
      "Packets received on the port that wait for their neighbour's address.",
      [](const ipc::PortStatistics& port) { return port.waiting(); });

  add("sekisho_port_steering_redirected_before_packets", Type::counter, "packets",
      "Of what steering has redirected, what went to earlier dataplanes.",
      [](const ipc::PortStatistics& port) { return port.redirected_before(); });
  add("sekisho_port_steering_restored", Type::counter, "",
      "Times that the steering program of an AF_XDP port was found removed and was put back.",
      [](const ipc::PortStatistics& port) { return port.steering_restored(); });
  add("sekisho_icmp_limited", Type::counter, "",
      "ICMP errors about packets received on the port that [icmp]'s limits kept back.",
      [](const ipc::PortStatistics& port) { return port.icmp_limited(); });
  add("sekisho_fragmented_packets", Type::counter, "packets",
      "Packets received on the port that left in fragments.",
      [](const ipc::PortStatistics& port) { return port.fragmented(); });
  add("sekisho_fragments", Type::counter, "", "These fragments.",
      [](const ipc::PortStatistics& port) { return port.fragments(); });
  add("sekisho_mss_clamped_packets", Type::counter, "packets",
      "TCP segments received on the port that were made to say that a shorter longest segment is taken, also "
      "those that were dropped behind it.",
      [](const ipc::PortStatistics& port) { return port.mss_clamped(); });
  add("sekisho_unfinished_checksums", Type::counter, "",
      "Of the packets received on the port that were looked at, which are few: those with a TCP or UDP "
      "checksum that nobody has finished.",
      [](const ipc::PortStatistics& port) { return port.unfinished_checksums(); });
  family(text, "sekisho_icmp_errors", Type::counter, "", "ICMP errors about packets received on the port.",
         statistics.ports(), [&](const ipc::PortStatistics& port) {
           for (const auto error : serve::icmp_errors()) {
             const auto sent = port.icmp().find(std::string{error});
             text.sample({{"port", port.name()}, {"error", error}},
                         sent == port.icmp().end() ? std::uint64_t{0} : std::uint64_t{sent->second});
           }
         });
  family(text, "sekisho_port_steering_packets", Type::counter, "packets",
         "Frames of an AF_XDP port since its interface was first steered, by what its steering program did "
         "with them.",
         statistics.ports(), [&](const ipc::PortStatistics& port) {
           const std::map<std::string, std::uint64_t> sorted(port.steer().begin(), port.steer().end());
           for (const auto& [verdict, packets] : sorted) {
             text.sample({{"port", port.name()}, {"verdict", verdict}}, packets);
           }
         });
}

// Every drop that is known, so that an alert on one that never occurred has something to look at.
void add_drops(Text& text, const ipc::Statistics& statistics) {
  family(text, "sekisho_drops", Type::counter, "",
         "Packets refused, by the port that received them, who refused them, and why.",
         serve::show_drops(statistics, true), [&](const serve::Json& drop) {
           text.sample({{"port", drop["port"].get_ref<const std::string&>()},
                        {"by", drop["by"].get_ref<const std::string&>()},
                        {"reason", drop["reason"].get_ref<const std::string&>()}},
                       drop["packets"].get<std::uint64_t>());
         });
}

void add_policy_counters(Text& text, const ipc::Statistics& statistics) {
  family(text, "sekisho_zone_packets", Type::counter, "packets", "Packets whose source belongs to the zone.",
         statistics.zones(), [&](const ipc::NamedCounter& zone) {
           text.sample({{"zone", zone.name()}}, std::uint64_t{zone.counter().packets()});
         });
  family(text, "sekisho_zone_bytes", Type::counter, "bytes",
         "Bytes of the packets whose source belongs to the zone.", statistics.zones(),
         [&](const ipc::NamedCounter& zone) {
           text.sample({{"zone", zone.name()}}, std::uint64_t{zone.counter().bytes()});
         });
  family(text, "sekisho_next_hop_packets", Type::counter, "packets", "Packets whose route has the next hop.",
         statistics.next_hops(), [&](const ipc::NamedCounter& next_hop) {
           text.sample({{"next_hop", serve::policy_name(next_hop.name())}},
                       std::uint64_t{next_hop.counter().packets()});
         });
  family(text, "sekisho_next_hop_bytes", Type::counter, "bytes",
         "Bytes of the packets whose route has the next hop.", statistics.next_hops(),
         [&](const ipc::NamedCounter& next_hop) {
           text.sample({{"next_hop", serve::policy_name(next_hop.name())}},
                       std::uint64_t{next_hop.counter().bytes()});
         });
  family(text, "sekisho_adjacency_packets", Type::counter, "packets", "Packets sent to the neighbour.",
         statistics.adjacencies(), [&](const ipc::AdjacencyStatistics& adjacency) {
           text.sample({{"port", adjacency.key().port()},
                        {"address", base::address_to_string(adjacency.key().address())}},
                       std::uint64_t{adjacency.counter().packets()});
         });
  family(text, "sekisho_adjacency_bytes", Type::counter, "bytes",
         "Bytes of the packets sent to the neighbour.", statistics.adjacencies(),
         [&](const ipc::AdjacencyStatistics& adjacency) {
           text.sample({{"port", adjacency.key().port()},
                        {"address", base::address_to_string(adjacency.key().address())}},
                       std::uint64_t{adjacency.counter().bytes()});
         });
}

void add_workers(Text& text, const ipc::Statistics& statistics) {
  const auto add = [&](std::string_view name, std::string_view help, auto value) {
    family(text, name, Type::counter, "", help, statistics.workers(),
           [&](const ipc::WorkerStatistics& worker) {
             text.sample({{"lcore", std::to_string(worker.lcore())}}, std::uint64_t{value(worker)});
           });
  };
  add("sekisho_worker_polls", "Times that the worker asked its queues for packets.",
      [](const ipc::WorkerStatistics& worker) { return worker.polls(); });
  add("sekisho_worker_bursts", "Polls that brought packets.",
      [](const ipc::WorkerStatistics& worker) { return worker.bursts(); });
  add("sekisho_worker_sleeps", "Times that the idle worker slept.",
      [](const ipc::WorkerStatistics& worker) { return worker.sleeps(); });
}

}  // namespace

std::string exposition(const Known& known, Format format) {
  Text text{format};
  add_control(text, known);
  if (known.guarding != nullptr) {
    add_guard(text, *known.guarding);
  }
  add_members(text, known);
  if (known.bgp != nullptr) {
    add_bgp(text, *known.bgp);
  }
  if (known.policy.taken) {
    add_learning(text, known.policy, *known.policy.taken);
  }
  if (const auto& state = known.live.state) {
    add_dataplane(text, *state);
    add_port_states(text, known);
    add_next_hop_states(text, known);
    add_adjacency_states(text, *state);
    add_tables(text, *state);
  }
  if (const auto& statistics = known.live.statistics) {
    add_port_counters(text, *statistics);
    add_drops(text, *statistics);
    add_policy_counters(text, *statistics);
    add_workers(text, *statistics);
  }
  return std::move(text).finish();
}

}  // namespace sekisho::metrics
