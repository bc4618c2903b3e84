// SPDX-License-Identifier: BSD-3-Clause
#include "bench/lpm/counters.hpp"

#include <fmt/format.h>
#include <linux/perf_event.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>

namespace sekisho::bench {
namespace {

struct Event {
  const char* name;
  std::uint32_t type;
  std::uint64_t config;
};

constexpr std::uint64_t read_misses(std::uint64_t cache) {
  return cache | PERF_COUNT_HW_CACHE_OP_READ << 8 | PERF_COUNT_HW_CACHE_RESULT_MISS << 16;
}

// The kernel's generic names: each CPU's driver knows what is nearest. "cache-misses" are those of the last level
// on Intel and of the second on AMD.
constexpr std::array events{Event{"cycles", PERF_TYPE_HARDWARE, PERF_COUNT_HW_CPU_CYCLES},
                            Event{"instructions", PERF_TYPE_HARDWARE, PERF_COUNT_HW_INSTRUCTIONS},
                            Event{"branch_misses", PERF_TYPE_HARDWARE, PERF_COUNT_HW_BRANCH_MISSES},
                            Event{"cache_misses", PERF_TYPE_HARDWARE, PERF_COUNT_HW_CACHE_MISSES},
                            Event{"l1d_misses", PERF_TYPE_HW_CACHE, read_misses(PERF_COUNT_HW_CACHE_L1D)},
                            Event{"dtlb_misses", PERF_TYPE_HW_CACHE, read_misses(PERF_COUNT_HW_CACHE_DTLB)}};

// What read() gives with PERF_FORMAT_TOTAL_TIME_ENABLED | PERF_FORMAT_TOTAL_TIME_RUNNING.
struct Reading {
  std::uint64_t value;
  std::uint64_t enabled;
  std::uint64_t running;
};

}  // namespace

Counters::Counters() {
  for (const auto& event : events) {
    perf_event_attr attributes{};
    attributes.size = sizeof attributes;
    attributes.type = event.type;
    attributes.config = event.config;
    attributes.disabled = 1;
    attributes.exclude_kernel = 1;
    attributes.exclude_hv = 1;
    attributes.read_format = PERF_FORMAT_TOTAL_TIME_ENABLED | PERF_FORMAT_TOTAL_TIME_RUNNING;
    const auto descriptor = static_cast<int>(syscall(SYS_perf_event_open, &attributes, 0, -1, -1, 0));
    if (descriptor >= 0) {
      open_.push_back({event.name, descriptor});
    } else if (missing_.empty()) {
      missing_ = fmt::format("perf_event_open of {}: {}", event.name, std::strerror(errno));
    }
  }
  if (!open_.empty()) {
    missing_.clear();
  }
}

Counters::~Counters() {
  for (const auto& event : open_) {
    close(event.descriptor);
  }
}

auto Counters::count(const std::function<void()>& work, std::size_t lookups) const
    -> std::map<std::string, double> {
  for (const auto& event : open_) {
    ioctl(event.descriptor, PERF_EVENT_IOC_RESET, 0);
    ioctl(event.descriptor, PERF_EVENT_IOC_ENABLE, 0);
  }
  work();
  std::map<std::string, double> counts;
  for (const auto& event : open_) {
    ioctl(event.descriptor, PERF_EVENT_IOC_DISABLE, 0);
    Reading reading{};
    // Counters that had to share the hardware ran for a part of the time only.
    if (read(event.descriptor, &reading, sizeof reading) == sizeof reading && reading.running != 0) {
      counts[event.name] = static_cast<double>(reading.value) * static_cast<double>(reading.enabled) /
                           static_cast<double>(reading.running) / static_cast<double>(lookups);
    }
  }
  return counts;
}

}  // namespace sekisho::bench
