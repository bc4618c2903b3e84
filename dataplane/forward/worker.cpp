// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/forward/worker.hpp"

#include <rte_cycles.h>
#include <rte_ethdev.h>
#include <rte_pause.h>
#include <sys/prctl.h>
#include <time.h>

#include <algorithm>

#include "dataplane/forward/burst.hpp"
#include "dataplane/forward/from_host.hpp"
#include "dataplane/forward/pipeline.hpp"

namespace sekisho::forward {
namespace {

// To sleep and to wake up takes as much CPU as some 20 us of polling do, on a virtual machine: shorter sleeps between packets that come
// more often would delay each of them and save nothing.
constexpr unsigned first_sleep_us = 50;

// Some drivers that receive by vectors give nothing to who asks for fewer.
constexpr unsigned fewest_asked_for = 32;

void sleep_us(unsigned microseconds) noexcept {
  const timespec duration{.tv_sec = 0, .tv_nsec = static_cast<long>(microseconds) * 1000};
  clock_nanosleep(CLOCK_MONOTONIC, 0, &duration, nullptr);
}

}  // namespace

Worker::Worker(fib::Qsbr& qsbr, Options options)
    : qsbr_(qsbr), options_(options), data_(std::make_unique<WorkerData>(options.patience_ms)) {
  data_->index = options_.index;
}

Worker::~Worker() = default;

unsigned Worker::poll_once() noexcept {
  const ForwardingState* const state = state_.load(std::memory_order_acquire);
  const std::vector<RxQueue>* const queues = queues_.load(std::memory_order_acquire);
  if (state == nullptr || queues == nullptr) {
    return 0;
  }
  // First: what is received now came later.
  if (data_->waiting.any()) [[unlikely]] {
    data_->waiting.look(*state, *data_);
  }
  std::array<rte_mbuf*, burst_capacity> received;
  unsigned total = 0;
  unsigned bursts = 0;
  // A burst has a cost however few its packets are, and each call of a transmit queue a doorbell or a system call: what a port's queues
  // bring goes on together as long as there is room.
  unsigned held = 0;
  for (auto queue = queues->begin(); queue != queues->end(); ++queue) {
    const unsigned count = rte_eth_rx_burst(queue->dpdk_port, queue->queue, received.data() + held,
                                            static_cast<std::uint16_t>(burst_capacity - held));
    held += count;
    total += count;
    bursts += count != 0 ? 1 : 0;
    const auto next = queue + 1;
    const bool more_to_come = next != queues->end() && next->dpdk_port == queue->dpdk_port &&
                              burst_capacity - held >= fewest_asked_for;
    if (held != 0 && !more_to_come) {
      forward_burst(*state, *data_, *queue, {received.data(), held});
      held = 0;
    }
  }
  if (const auto* const host_queues = host_queues_.load(std::memory_order_acquire)) {
    for (const HostQueue& queue : *host_queues) {
      total += serve_host_queue(*state, *data_, queue);
    }
  }
  const auto polls = data_->counters.polls.get();
  constexpr std::uint64_t between_looks = 4'096;
  data_->look_closer |= total == 0 || polls / between_looks != (polls + queues->size()) / between_looks;
  data_->counters.polls.add(queues->size());
  data_->counters.bursts.add(bursts);
  return total;
}

void Worker::run() noexcept {
  // The kernel's default is to round sleeps up by 50 us.
  prctl(PR_SET_TIMERSLACK, 1UL);
  qsbr_.online(options_.index);
  const bool may_sleep = !options_.spin && options_.max_sleep_us != 0;
  const auto sleep_after = rte_get_tsc_hz() * options_.sleep_after_us / 1'000'000;
  std::uint64_t idle_since = 0;  // TSC; 0: it is not
  unsigned next_sleep_us = 0;
  while (!stop_.load(std::memory_order_relaxed)) {
    const unsigned received = poll_once();
    qsbr_.quiescent(options_.index);
    if (received != 0) {
      idle_since = 0;
    } else if (idle_since == 0) {
      idle_since = rte_rdtsc();
      next_sleep_us = std::min(first_sleep_us, options_.max_sleep_us);
    } else if (!may_sleep || rte_rdtsc() - idle_since < sleep_after) {
      rte_pause();
    } else {
      qsbr_.offline(options_.index);
      sleep_us(next_sleep_us);
      qsbr_.online(options_.index);
      data_->counters.sleeps.add(1);
      next_sleep_us = std::min(next_sleep_us * 2, options_.max_sleep_us);
    }
  }
  qsbr_.offline(options_.index);
}

}  // namespace sekisho::forward
