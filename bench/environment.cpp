// SPDX-License-Identifier: BSD-3-Clause
#include "bench/environment.hpp"

#include <fmt/format.h>
#include <pthread.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_log.h>
#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <ctime>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace sekisho::bench {
namespace {

long involuntary_switches() {
  rusage usage{};
  getrusage(RUSAGE_THREAD, &usage);
  return usage.ru_nivcsw;
}

// proc(5), /proc/stat: user nice system idle iowait irq softirq steal ...
std::pair<std::uint64_t, std::uint64_t> steal_and_all_ticks() {
  std::ifstream file{"/proc/stat"};
  const auto label = fmt::format("cpu{}", sched_getcpu());
  for (std::string line; std::getline(file, line);) {
    std::istringstream words{line};
    std::string word;
    words >> word;
    if (word != label) {
      continue;
    }
    std::uint64_t all = 0;
    std::uint64_t ticks = 0;
    for (int field = 0; field < 8 && words >> ticks; ++field) {
      all += ticks;
    }
    return {ticks, all};
  }
  return {};
}

}  // namespace

Environment::Environment() {
  rte_log_set_global_level(RTE_LOG_ERR);
  std::vector<std::string> arguments{"bench",
                                     "--in-memory",
                                     "--no-pci",
                                     "--no-telemetry",
                                     "--force-max-simd-bitwidth=512",
                                     "--log-level=error",
                                     fmt::format("--file-prefix=sekisho-bench-{}", getpid()),
                                     fmt::format("--lcores=0@{}", sched_getcpu())};
  std::vector<char*> argv;
  for (auto& argument : arguments) {
    argv.push_back(argument.data());
  }
  if (rte_eal_init(static_cast<int>(argv.size()), argv.data()) < 0) {
    throw std::runtime_error(
        fmt::format("DPDK does not start: {} (2 MB pages are needed: scripts/bootstrap reserves them)",
                    rte_strerror(rte_errno)));
  }
}

Environment::~Environment() {
  rte_eal_cleanup();
}

HugeMemory HugeMemory::now() {
  HugeMemory memory;
  std::ifstream file{"/proc/self/smaps_rollup"};
  for (std::string line; std::getline(file, line);) {
    std::istringstream words{line};
    std::string key;
    std::size_t kilobytes = 0;
    words >> key >> kilobytes;
    if (key == "Private_Hugetlb:" || key == "Shared_Hugetlb:") {
      memory.explicit_bytes += kilobytes * 1024;
    } else if (key == "AnonHugePages:") {
      memory.transparent_bytes += kilobytes * 1024;
    }
  }
  return memory;
}

Noise::Noise() : preemptions_{involuntary_switches()} {
  std::tie(steal_ticks_, all_ticks_) = steal_and_all_ticks();
}

long Noise::preemptions() const {
  return involuntary_switches() - preemptions_;
}

double Noise::steal_percent() const {
  const auto [steal, all] = steal_and_all_ticks();
  return all == all_ticks_
             ? 0
             : 100.0 * static_cast<double>(steal - steal_ticks_) / static_cast<double>(all - all_ticks_);
}

std::string date() {
  const auto now = std::time(nullptr);
  std::tm utc{};
  gmtime_r(&now, &utc);
  std::array<char, 32> text{};
  std::strftime(text.data(), text.size(), "%FT%TZ", &utc);
  return text.data();
}

std::string cpu_model() {
  std::ifstream file{"/proc/cpuinfo"};
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("model name")) {
      return line.substr(line.find(':') + 2);
    }
  }
  return "unknown";
}

std::optional<unsigned> other_cpu() {
  const auto own = static_cast<unsigned>(sched_getcpu());
  const auto online = static_cast<unsigned>(std::max(sysconf(_SC_NPROCESSORS_ONLN), 1L));
  for (unsigned cpu = 0; cpu < online; ++cpu) {
    if (cpu != own) {
      return cpu;
    }
  }
  return std::nullopt;
}

void pin_to(unsigned cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  if (const int result = pthread_setaffinity_np(pthread_self(), sizeof set, &set); result != 0) {
    throw std::runtime_error(fmt::format("a thread cannot run on CPU {}: {}", cpu, std::strerror(result)));
  }
}

}  // namespace sekisho::bench
