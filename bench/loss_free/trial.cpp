// SPDX-License-Identifier: BSD-3-Clause
#include "bench/loss_free/trial.hpp"

#include <rte_cycles.h>
#include <rte_ethdev.h>

#include <algorithm>
#include <array>

namespace sekisho::bench {
namespace {

constexpr std::uint16_t burst = 32;
// Packets that may be due at once: an eighth of the ring that a port of memif has by default.
constexpr double most_due = 128;
constexpr double drain_seconds = 0.02;  // without a packet: what did not come by then is lost

}  // namespace

void Trial::offer(const Pair& pair, std::uint16_t count, std::uint64_t now) noexcept {
  std::array<rte_mbuf*, burst> packets;
  outcome_.offered += count;
  if (rte_pktmbuf_alloc_bulk(&pool_, packets.data(), count) != 0)
    return;  // the engine holds them all: its ring is full
  for (std::uint16_t i = 0; i < count; ++i)
    frames_.write_next(*packets[i], {Stamp::mark, number_, now});
  const auto taken = rte_eth_tx_burst(pair.lan, 0, packets.data(), count);
  outcome_.sent += taken;
  if (taken < count)
    rte_pktmbuf_free_bulk(packets.data() + taken, count - taken);
}

void Trial::receive(const Pair& pair) noexcept {
  std::array<rte_mbuf*, 2 * burst> packets;
  const auto count = rte_eth_rx_burst(pair.egress, 0, packets.data(), packets.size());
  const auto now = rte_rdtsc();
  for (std::uint16_t i = 0; i < count; ++i) {
    if (const auto stamp = stamp_of(*packets[i]); stamp && stamp->trial == number_) {
      ++outcome_.received;
      latencies_.add(now - std::min(stamp->sent, now));
    }
  }
  rte_pktmbuf_free_bulk(packets.data(), count);

  // Errors that the engine sends back: of no use here, but its ring must not fill.
  const auto returned = rte_eth_rx_burst(pair.lan, 0, packets.data(), packets.size());
  rte_pktmbuf_free_bulk(packets.data(), returned);
}

Outcome Trial::run(const Pair& pair, double per_second, double seconds) noexcept {
  const auto hz = static_cast<double>(rte_get_tsc_hz());
  const double per_tick = per_second / hz;
  ++number_;
  latencies_.clear();
  outcome_ = {};
  double skipped = 0;
  const auto start = rte_rdtsc();
  const auto end = start + static_cast<std::uint64_t>(seconds * hz);
  for (auto now = start; now < end; now = rte_rdtsc()) {
    auto due = static_cast<double>(now - start) * per_tick - skipped - static_cast<double>(outcome_.offered);
    if (due > most_due) {
      skipped += due - burst;
      due = burst;
    }
    if (due >= 1)
      offer(pair, static_cast<std::uint16_t>(std::min<double>(due, burst)), now);
    receive(pair);
  }
  const auto all = skipped + static_cast<double>(outcome_.offered);
  outcome_.late = all > 0 ? skipped / all : 0;
  outcome_.seconds = static_cast<double>(end - start) / hz;

  const auto patience = static_cast<std::uint64_t>(drain_seconds * hz);
  for (auto last = rte_rdtsc(); outcome_.received < outcome_.sent && rte_rdtsc() - last < patience;) {
    const auto before = outcome_.received;
    receive(pair);
    if (outcome_.received != before)
      last = rte_rdtsc();
  }
  return outcome_;
}

}  // namespace sekisho::bench
