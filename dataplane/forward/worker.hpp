// SPDX-License-Identifier: BSD-3-Clause
// A worker: one lcore's loop over the receive queues given to it. No locks, no allocation, no logging, no system
// calls for a packet (the PMD of an AF_XDP port makes its own). What a port's queues bring goes on as one burst, as far as there
// is room. An idle worker backs off: it pauses, and after `sleep_after_us` sleeps, 50 us at first and at most `max_sleep_us`, unless
// told to spin.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "common/base/apart.hpp"
#include "dataplane/fib/qsbr.hpp"
#include "dataplane/forward/forwarding_state.hpp"
#include "dataplane/forward/worker_data.hpp"

namespace sekisho::forward {

// What the loop reads each time it goes round lies beside nothing that the writer works with.
class alignas(base::apart) Worker {
 public:
  struct Options {
    unsigned index = 0;             // reader number of the Qsbr and transmit queue number
    bool spin = false;              // never sleep
    unsigned sleep_after_us = 100;  // of polls in vain
    unsigned max_sleep_us = 50;     // 0: as spin
    unsigned patience_ms = 0;       // for so long packets wait for their neighbour's address; 0: none does
  };

  Worker(fib::Qsbr& qsbr, Options options);
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // The writer's. The caller keeps what it passes alive until a grace period after it was replaced.
  void set_state(const ForwardingState* state) noexcept { state_.store(state, std::memory_order_release); }
  void set_queues(const std::vector<RxQueue>* queues) noexcept {
    queues_.store(queues, std::memory_order_release);
  }
  void set_host_queues(const std::vector<HostQueue>* queues) noexcept {
    host_queues_.store(queues, std::memory_order_release);
  }
  void stop() noexcept { stop_.store(true, std::memory_order_relaxed); }

  // The lcore's: polls until stop(). Registers with the Qsbr.
  void run() noexcept;
  // One round over the queues; the number of packets received. For tests and for run(). The caller is an online reader.
  unsigned poll_once() noexcept;

  [[nodiscard]] const WorkerCounters& counters() const noexcept { return data_->counters; }
  // The writer's, for the counters of an index alone for which no packet can be counted any more: after a grace period since
  // the last state and queues that knew it, and since the last of its packets waited. So it books what only shows when a port
  // closes, and forgets what was counted before the index is given to something else.
  [[nodiscard]] WorkerCounters& mutable_counters() noexcept { return data_->counters; }
  // The destinations whose packets wait, or were dropped, until they are resolved: the writer's to take.
  [[nodiscard]] Wanted& wanted() noexcept { return data_->wanted; }
  // The newest that it dropped: anybody's to read, the writer's to have it forget a port.
  [[nodiscard]] LastDrops& last_drops() noexcept { return data_->last_drops; }

 private:
  fib::Qsbr& qsbr_;
  Options options_;
  std::atomic<const ForwardingState*> state_{nullptr};
  std::atomic<const std::vector<RxQueue>*> queues_{nullptr};
  std::atomic<const std::vector<HostQueue>*> host_queues_{nullptr};
  std::atomic<bool> stop_{false};
  std::unique_ptr<WorkerData> data_;
};

}  // namespace sekisho::forward
