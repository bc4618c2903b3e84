// SPDX-License-Identifier: BSD-3-Clause
// When may memory be reused that lock-free readers might still be looking at?
//
// The naive answer is a reference count or a read lock: each lookup then writes a cache line that all workers
// share, at a cost of tens to hundreds of cycles a packet. Quiescent-state-based reclamation costs a reader
// one store to its own line a burst: it says "I hold no pointer from before now". The writer unlinks an
// object, takes a token, and frees the object when every reader has reported since.
//
// Wraps DPDK's rte_rcu_qsbr, which needs no EAL. McKenney & Slingwine 1998;
// DPDK programmer's guide, "RCU Library".
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>

struct rte_rcu_qsbr;

namespace sekisho::fib {

class Qsbr {
 public:
  explicit Qsbr(unsigned max_readers);  // throws std::bad_alloc
  ~Qsbr();                              // runs what is still pending: no reader may be left
  Qsbr(const Qsbr&) = delete;
  Qsbr& operator=(const Qsbr&) = delete;

  // Reader side. `reader` < max_readers, each used by one thread at a time.
  void online(unsigned reader) noexcept;
  void offline(unsigned reader) noexcept;    // before sleeping or stopping: holds up no writer
  void quiescent(unsigned reader) noexcept;  // between two bursts

  // Writer side, one thread.
  void retire(std::function<void()> reclaim);  // runs it after a grace period, from poll() or synchronize()
  void poll();                                 // runs what has become safe; never waits
  void synchronize();                          // waits for a grace period and runs all that is pending
  [[nodiscard]] std::size_t pending() const noexcept { return pending_.size(); }

 private:
  struct Pending {
    std::uint64_t token;
    std::function<void()> reclaim;
  };
  struct Free {
    void operator()(rte_rcu_qsbr* qsbr) const noexcept;
  };
  std::unique_ptr<rte_rcu_qsbr, Free> qsbr_;
  std::deque<Pending> pending_;
};

}  // namespace sekisho::fib
