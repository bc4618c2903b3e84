// SPDX-License-Identifier: BSD-3-Clause
// What a measurement needs of the machine: DPDK with 2 MB pages, and an account of who disturbed it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace sekisho::bench {

// DPDK's memory in 2 MB pages, one lcore on the CPU that the process runs on. The widest vectors are allowed:
// the reference libraries may use whatever they have.
class Environment {
 public:
  Environment();  // throws std::runtime_error
  ~Environment();
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;
};

// Memory of this process in huge pages.
struct HugeMemory {
  std::size_t explicit_bytes = 0;     // hugetlbfs, MAP_HUGETLB
  std::size_t transparent_bytes = 0;  // the kernel's own choice
  [[nodiscard]] static HugeMemory now();
};

// What came between: other threads that were given our CPU, and the hypervisor's other guests.
class Noise {
 public:
  Noise();  // starts the account
  [[nodiscard]] long preemptions() const;
  [[nodiscard]] double steal_percent() const;

 private:
  long preemptions_;
  std::uint64_t steal_ticks_;
  std::uint64_t all_ticks_;
};

[[nodiscard]] std::string cpu_model();
[[nodiscard]] std::string date();  // now, UTC

// A CPU for a second thread, where the machine has one. Wider than what we were pinned to: whoever pins a
// measurement leaves the rest of the machine to it.
[[nodiscard]] std::optional<unsigned> other_cpu();
void pin_to(unsigned cpu);  // this thread

}  // namespace sekisho::bench
