// SPDX-License-Identifier: BSD-3-Clause
// DPDK's environment: lcores, memory and the pool of packet buffers. One in a process.
#pragma once

#include <rte_mempool.h>

#include <vector>

#include "dataplane/options.hpp"

namespace sekisho {

class Environment {
 public:
  // Throws std::runtime_error with one sentence. Goes on without reserved hugepages, and says so, when there are too few.
  explicit Environment(const Options& options);
  ~Environment();
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;

  [[nodiscard]] rte_mempool* pool() const noexcept { return pool_; }
  [[nodiscard]] bool hugepages() const noexcept { return hugepages_; }
  // The workers', in the order of Options::worker_cpus: their numbers are the CPUs'.
  [[nodiscard]] const std::vector<unsigned>& lcores() const noexcept { return lcores_; }

 private:
  std::vector<unsigned> lcores_;
  bool hugepages_ = false;
  rte_mempool* pool_ = nullptr;
};

}  // namespace sekisho
