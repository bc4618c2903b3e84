// SPDX-License-Identifier: BSD-3-Clause
// That every frame of a burst ends in exactly one counter: rx + generated = tx + host + drops, but for what waits for its neighbour.
// What is generated meanwhile is ICMP errors, and the fragments of a packet but for one.
// Compiled into builds with a sanitizer (SEKISHO_CHECK_BOOKS); it reads all ports' counters twice a burst.
#pragma once

#include "dataplane/forward/counters.hpp"

#ifdef SEKISHO_CHECK_BOOKS
#include <cstdio>
#include <cstdlib>
#endif

namespace sekisho::forward {

#ifdef SEKISHO_CHECK_BOOKS
class BooksCheck {
 public:
  BooksCheck(const WorkerCounters& counters, unsigned received) noexcept
      : counters_{counters}, before_{sum(counters)}, received_{received} {}
  ~BooksCheck() {
    const auto after = sum(counters_);
    const auto in = after.in - before_.in;
    const auto ended = after.ended - before_.ended;
    const auto made = after.made - before_.made;
    if (in != received_ + made || ended != in) {
      std::fprintf(stderr, "of a burst of %u frames and %lu made of them %lu were counted in and %lu out\n",
                   received_, made, in, ended);
      std::abort();
    }
  }
  BooksCheck(const BooksCheck&) = delete;
  BooksCheck& operator=(const BooksCheck&) = delete;

 private:
  struct Sum {
    std::uint64_t in = 0;
    std::uint64_t ended = 0;
    std::uint64_t made = 0;
  };
  static Sum sum(const WorkerCounters& counters) noexcept {
    Sum all;
    for (const auto& port : counters.ports) {
      all.in += port.rx.packets.get() + port.generated.packets.get();
      all.ended += port.tx.packets.get() + port.host.get() + port.waiting.get();
      for (const auto& drop : port.drops) {
        all.ended += drop.get();
      }
      for (const auto& error : port.icmp) {
        all.made += error.get();
      }
      all.made += port.fragments.get() - port.fragmented.get();
    }
    return all;
  }

  const WorkerCounters& counters_;
  const Sum before_;
  const unsigned received_;
};
#else
class BooksCheck {
 public:
  BooksCheck(const WorkerCounters& /*counters*/, unsigned /*received*/) noexcept {}
};
#endif

}  // namespace sekisho::forward
