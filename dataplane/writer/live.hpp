// SPDX-License-Identifier: BSD-3-Clause
// All that runs: the last committed configuration and the objects that stand for it, by name. Owned by the
// writer; workers see of it only what is published to them.
#pragma once

#include <rte_mempool.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "dataplane.pb.h"
#include "dataplane/fib/fib.hpp"
#include "dataplane/fib/qsbr.hpp"
#include "dataplane/forward/forwarding_state.hpp"
#include "dataplane/forward/worker.hpp"
#include "dataplane/host/companion.hpp"
#include "dataplane/host/exit.hpp"
#include "dataplane/host/thread.hpp"
#include "dataplane/nexthop/next_hop_table.hpp"
#include "dataplane/port/port.hpp"
#include "dataplane/writer/configuration.hpp"
#include "dataplane/writer/index_pool.hpp"

namespace sekisho::writer {

// What was counted by devices that a port had before and that no worker has counted: the netdev they were on, by index, what
// steering gave to their sockets, and what of that no worker took.
struct ClosedDevices {
  int ifindex = 0;
  std::uint64_t redirected = 0;
  std::uint64_t missed = 0;
  ipc::PortStatistics books;  // as the last of them left them
};

struct LivePort {
  forward::PortIndex index = 0;
  port::PortConfig config;                             // what the device was last told
  std::shared_ptr<const decide::HostSources> sources;  // of packets to the kernel
  std::unique_ptr<port::Port> device;                  // null: it could not be brought up
  std::unique_ptr<host::Companion> companion;          // while there is a device
  std::string error;                                   // of the last attempt, when it failed
  std::string unsteered;                               // why nothing comes in, although there is a device
  std::uint64_t steering_restored = 0;  // how often its steering program was removed and put back
  ClosedDevices closed;
  ipc::PortStatistics earlier;    // of the interfaces before: where their packets went is still counted
  std::vector<unsigned> workers;  // by receive queue
  bool closing = false;           // workers are being taken off it
  bool mute = false;              // nothing is sent by it: its interface is down
  std::optional<bool> link;       // as last seen
  // Packets with unfinished checksums: how many were seen, and when the newest.
  std::uint64_t seen_unfinished = 0;
  std::optional<std::chrono::steady_clock::time_point> unfinished_at;

  [[nodiscard]] bool usable() const noexcept { return device != nullptr && !closing; }
};

struct LiveExit {
  std::unique_ptr<host::Exit> device;  // null: none is wanted, or it could not be made
  std::uint16_t mtu = 0;               // of the exit port; 0: nothing goes out
  std::string error;                   // why not
};

struct LiveAdjacency {
  nexthop::AdjacencyIndex index = 0;
  nexthop::Adjacency published;
};

struct Totals {
  std::uint64_t packets = 0;
  std::uint64_t bytes = 0;

  Totals& operator+=(const Totals& more) {
    packets += more.packets;
    bytes += more.bytes;
    return *this;
  }
};

struct LiveNextHop {
  nexthop::NextHopIndex index{};
  Totals earlier;  // what was counted under indexes that it had before
};

struct LiveZone {
  forward::ZoneIndex index{};
  std::unique_ptr<fib::Fib> table;
  // By the value of its index.
  std::vector<std::uint32_t> routes_by_next_hop = std::vector<std::uint32_t>(nexthop::max_next_hops);
};

struct Live {
  Live(fib::Qsbr& readers, std::vector<forward::Worker*> all_workers, rte_mempool* mbufs,
       fib::Fib::Options options, std::function<bool()> tests_refuse)
      : qsbr{readers},
        workers{std::move(all_workers)},
        pool{mbufs},
        table_options{options},
        refuse{std::move(tests_refuse)},
        host{mbufs},
        next_hops{readers} {}

  fib::Qsbr& qsbr;
  std::vector<forward::Worker*> workers;
  rte_mempool* pool;
  fib::Fib::Options table_options;
  std::function<bool()> refuse;  // a test's, to be asked wherever a transaction can be refused
  host::Thread host;

  Configuration configuration;
  std::uint64_t transaction = 0;

  LiveExit exit;
  std::map<std::string, LivePort> ports;
  std::map<AdjacencyId, LiveAdjacency> adjacencies;
  std::map<std::string, LiveNextHop> next_hop_names;
  std::map<std::string, LiveZone> zones;
  nexthop::NextHopTable next_hops;
  std::unique_ptr<fib::Fib> sources;

  std::unique_ptr<const forward::ForwardingState> state;
  std::vector<std::unique_ptr<const std::vector<forward::RxQueue>>> queues;  // by worker
  std::vector<std::unique_ptr<const std::vector<forward::HostQueue>>> host_queues;

  [[nodiscard]] bool refuses() const { return refuse && refuse(); }

  IndexPool port_indexes{0, forward::max_ports};
  IndexPool adjacency_indexes{nexthop::first_adjacency, nexthop::max_adjacencies};
  IndexPool next_hop_indexes{1, nexthop::max_next_hops};
  IndexPool zone_indexes{1, forward::max_zones + 1};
};

}  // namespace sekisho::writer
