// What a measurement needs of the machine: DPDK with 2 MB pages, and an account of who disturbed it.
#pragma once

#include <cstddef>
#include <cstdint>
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

[[nodiscard]] std::size_t free_huge_pages();

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

}  // namespace sekisho::bench
