// SPDX-License-Identifier: BSD-3-Clause
// The dataplane's one writer: owns everything that runs, changes it by transactions, and answers what it is.
//
// One thread. It may wait for grace periods, so that it must not be a worker's.
#pragma once

#include <rte_mempool.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>
#include <vector>

#include "common/base/prefix.hpp"
#include "dataplane.pb.h"
#include "dataplane/writer/live.hpp"
#include "dataplane/writer/live_capture.hpp"
#include "dataplane/writer/transaction.hpp"

namespace sekisho::writer {

// A table as it was when asked: a slow reader may take its time.
struct RouteList {
  std::string zone;
  std::vector<fib::Route> routes;
  std::map<nexthop::NextHopIndex, std::string> next_hops;
};

class Writer : private RunningRoutes {
 public:
  struct Options {
    rte_mempool* pool = nullptr;
    fib::Fib::Options tables;
    std::vector<unsigned> lcores;  // of the workers, in their order
    bool hugepages = false;
    std::function<bool()> refuse = {};  // for tests: true refuses a transaction at this place
  };

  // Qsbr, workers and pool outlive the writer; no worker runs any more when it goes. Throws
  // std::runtime_error when there is not even memory for the table of sources.
  Writer(fib::Qsbr& qsbr, std::vector<forward::Worker*> workers, Options options);
  ~Writer() override;
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  [[nodiscard]] Transaction begin(bool full) const { return {full, live_.configuration}; }
  [[nodiscard]] auto commit(Transaction transaction) -> tl::expected<ipc::Committed, std::string>;

  [[nodiscard]] ipc::State state() const;
  [[nodiscard]] ipc::Statistics statistics() const;
  [[nodiscard]] ipc::LastDrops last_drops() const;
  [[nodiscard]] auto routes(const std::string& zone) const -> tl::expected<RouteList, std::string>;
  [[nodiscard]] auto lookup(const ipc::Lookup& question) const -> tl::expected<ipc::Decision, std::string>;

  // Null: nobody looks on. There is one at most.
  [[nodiscard]] auto start_capture(const ipc::Capture& wanted) -> tl::expected<void, std::string>;
  [[nodiscard]] LiveCapture* capture() noexcept { return capture_.get(); }
  void end_capture() { capture_.reset(); }

  // Once a second: looks at links and at what was dropped for want of a next hop's neighbour.
  void tick();
  // More often, since a sender waits: tells what connected routes dropped.
  void tell_wanted(std::chrono::steady_clock::time_point now);
  // As often: a steering program that somebody has taken off its interface is put back.
  void keep_steered();
  // What happened since the last call.
  [[nodiscard]] std::vector<ipc::Event> take_events() { return std::exchange(events_, {}); }

  [[nodiscard]] const Live& live() const noexcept { return live_; }

 private:
  auto find(const std::string& zone, base::Prefix prefix) const -> std::optional<std::string_view> override;
  std::size_t count(const std::string& zone, const std::string& next_hop) const override;

  auto port_state(const std::string& name, const LivePort& port) const -> ipc::PortState;
  auto exit_state() const -> ipc::ExitState;
  auto port_states() const -> std::map<std::string, ipc::PortState>;
  auto next_hop_name(nexthop::NextHopIndex index) const -> std::string;
  auto port_statistics(const std::string& name, const LivePort& port) const -> ipc::PortStatistics;
  void watch_companions();
  void watch_exit();
  void watch_links();
  void watch_interfaces();
  void watch_checksums();
  void watch_neighbours();

  Live live_;
  Options options_;
  std::unique_ptr<LiveCapture> capture_;
  std::chrono::system_clock::time_point started_ = std::chrono::system_clock::now();
  std::vector<ipc::Event> events_;
  std::uint64_t seen_refused_ = 0;
  std::map<std::string, std::uint64_t> seen_traffic_;  // by next hop
  // Wanted destinations of the last second, and when each was told.
  std::map<std::uint32_t, std::chrono::steady_clock::time_point> told_;
};

}  // namespace sekisho::writer
