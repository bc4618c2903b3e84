// SPDX-License-Identifier: BSD-3-Clause
// One trial: packets at a steady rate into one port of an engine, and what came out of its other port.
//
// A generator that shares its CPU is late now and then. The naive answer, to send at once what is due, puts bursts into
// the engine's ring that nobody's link would carry, and calls what does not fit a loss. So what was not sent in time is
// not sent at all, and the trial says how much that was: whoever asked for it decides whether it was a trial.
#pragma once

#include <rte_mempool.h>

#include <cstdint>

#include "bench/loss_free/frames.hpp"
#include "bench/loss_free/latencies.hpp"

namespace sekisho::bench {

// The generator's ports, facing an engine's.
struct Pair {
  std::uint16_t lan = 0;     // what is sent here
  std::uint16_t egress = 0;  // has to come back here
};

struct Outcome {
  std::uint64_t offered = 0;   // packets that were due and tried
  std::uint64_t sent = 0;      // of them, those that the engine's ring took: the others are lost
  std::uint64_t received = 0;  // of this trial
  double late = 0;             // share of the packets that were not offered in time
  double seconds = 0;          // in which was sent
};

class Trial {
 public:
  Trial(Frames& frames, rte_mempool& pool) : frames_{frames}, pool_{pool} {}

  // Busy until `seconds` are over and nothing has come for a while. `per_second` > 0.
  [[nodiscard]] Outcome run(const Pair& pair, double per_second, double seconds) noexcept;
  // Of the packets that the last run received.
  [[nodiscard]] const Latencies& latencies() const noexcept { return latencies_; }

 private:
  void offer(const Pair& pair, std::uint16_t count, std::uint64_t now) noexcept;
  void receive(const Pair& pair) noexcept;

  Frames& frames_;
  rte_mempool& pool_;
  Latencies latencies_;
  Outcome outcome_;
  std::uint32_t number_ = 0;
};

}  // namespace sekisho::bench
