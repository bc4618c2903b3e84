// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/fib/qsbr.hpp"

#include <rte_rcu_qsbr.h>

#include <chrono>
#include <cstdlib>
#include <new>
#include <thread>
#include <utility>

#include "common/base/apart.hpp"

namespace sekisho::fib {
namespace {

// DPDK gives each number a cache line. Every second number is a reader's, so that they are as far apart as they should be.
constexpr unsigned numbers_a_reader = base::apart / sizeof(rte_rcu_qsbr_cnt);
static_assert(sizeof(rte_rcu_qsbr_cnt) * numbers_a_reader == base::apart);
static_assert(sizeof(rte_rcu_qsbr) % base::apart == 0,
              "what readers write begins behind what the writer does");

constexpr unsigned number_of(unsigned reader) noexcept {
  return reader * numbers_a_reader;
}

}  // namespace

Qsbr::Qsbr(unsigned max_readers) {
  const std::size_t size = rte_rcu_qsbr_get_memsize(number_of(max_readers));
  if (size < sizeof(rte_rcu_qsbr)) {
    throw std::bad_alloc{};
  }
  // Not rte_malloc: that needs an initialised EAL, which the CLI and the tests do not have.
  void* memory = nullptr;
  if (posix_memalign(&memory, base::apart, size) != 0) {
    throw std::bad_alloc{};
  }
  qsbr_.reset(static_cast<rte_rcu_qsbr*>(memory));
  if (rte_rcu_qsbr_init(qsbr_.get(), number_of(max_readers)) != 0) {
    throw std::bad_alloc{};
  }
  // A registered reader that is offline holds up nobody, so that all are registered once and for all: only
  // the writer ever walks the list.
  for (unsigned reader = 0; reader < max_readers; ++reader) {
    rte_rcu_qsbr_thread_register(qsbr_.get(), number_of(reader));
  }
}

Qsbr::~Qsbr() {
  while (!pending_.empty()) {
    synchronize();
  }
}

void Qsbr::Free::operator()(rte_rcu_qsbr* qsbr) const noexcept {
  std::free(qsbr);
}

void Qsbr::online(unsigned reader) noexcept {
  rte_rcu_qsbr_thread_online(qsbr_.get(), number_of(reader));
}

void Qsbr::offline(unsigned reader) noexcept {
  rte_rcu_qsbr_thread_offline(qsbr_.get(), number_of(reader));
}

void Qsbr::quiescent(unsigned reader) noexcept {
  rte_rcu_qsbr_quiescent(qsbr_.get(), number_of(reader));
}

void Qsbr::retire(std::function<void()> reclaim) {
  const std::uint64_t token = rte_rcu_qsbr_start(qsbr_.get());
  pending_.push_back({.token = token, .reclaim = std::move(reclaim)});
}

void Qsbr::poll() {
  while (!pending_.empty() && rte_rcu_qsbr_check(qsbr_.get(), pending_.front().token, false) == 1) {
    // Taken off first: what it reclaims may itself retire something.
    const auto reclaim = std::move(pending_.front().reclaim);
    pending_.pop_front();
    reclaim();
  }
}

void Qsbr::synchronize() {
  const std::uint64_t token = rte_rcu_qsbr_start(qsbr_.get());
  // rte_rcu_qsbr_synchronize spins, which keeps a reader on the same core from ever reporting.
  while (rte_rcu_qsbr_check(qsbr_.get(), token, false) == 0) {
    std::this_thread::sleep_for(std::chrono::microseconds{20});
  }
  poll();
}

}  // namespace sekisho::fib
