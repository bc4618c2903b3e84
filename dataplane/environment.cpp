// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/environment.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_lcore.h>
#include <rte_log.h>
#include <rte_mbuf.h>
#include <sched.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

#include "dataplane/eal_log.hpp"
#include "dataplane/hugepages.hpp"
#include "dataplane/port/bus.hpp"
#include "dataplane/port/packet_pool.hpp"

namespace sekisho {
namespace {

constexpr std::size_t megabyte = std::size_t{1} << 20;
// Buffers kept by each lcore, so that two that free and take do not meet at the ring.
constexpr unsigned pool_cache = 256;
// What queues and the pool's own ring take beside the buffers.
constexpr unsigned buffers_of_memory_percent = 75;

// What the pool's buffers take of the memory, in bytes.
std::size_t pool_bytes(const Options& options) {
  return options.memory_mb * megabyte / 100 * buffers_of_memory_percent;
}

// One line, when the packets do not lie in reserved hugepages: why, and where they lie.
void say_where_packets_lie(const Options& options, std::size_t free_mb, const port::PoolPages& pages) {
  const auto why = options.huge ? fmt::format("{} MB of hugepages are free and {} are wanted: ", free_mb,
                                              options.memory_mb)
                                : std::string{};
  if (pages.bytes == 0) {
    spdlog::warn("{}the kernel does not say in what pages packets lie", why);
  } else if (pages.small() == 0) {
    spdlog::info("{}packets lie in transparent hugepages, which NICs that DPDK owns cannot use", why);
  } else {
    spdlog::warn(
        "{}{} of {} MB of packets lie in 4 KB pages, which costs speed: the kernel gave no larger ones "
        "(/sys/kernel/mm/transparent_hugepage/enabled says whether it may)",
        why, pages.small() / megabyte, pages.bytes / megabyte);
  }
}

// A worker's lcore has its CPU's number; the main one too, unless a worker shares that CPU.
unsigned main_lcore(const Options& options) {
  const auto taken = [&](unsigned lcore) {
    return std::ranges::find(options.worker_cpus, lcore) != options.worker_cpus.end();
  };
  auto lcore = options.main_cpu;
  if (taken(lcore)) {
    spdlog::warn("the main thread and a worker share CPU {}: changes of the tables will delay packets",
                 lcore);
    for (lcore = 0; taken(lcore);) {
      ++lcore;
    }
  }
  return lcore;
}

std::vector<std::string> eal_arguments(const Options& options, bool hugepages) {
  const auto main = main_lcore(options);
  auto lcores = fmt::format("--lcores={}@{}", main, options.main_cpu);
  for (const auto cpu : options.worker_cpus) {
    lcores += fmt::format(",{0}@{0}", cpu);
  }
  // No files that a killed process would leave behind.
  std::vector<std::string> arguments{
      "sekisho-dataplane", lcores, fmt::format("--main-lcore={}", main),
      // Its thread reads devices while the writer opens and closes them: only for who asks for it.
      options.telemetry ? "--telemetry" : "--no-telemetry",
      // Of the PCI devices that are bound for user space only those that ports name are touched, each when its port is opened.
      // An allow list makes it so, and it cannot be empty.
      "--allow=pci:ffff:ff:1f.7", fmt::format("--file-prefix={}", options.file_prefix), "-m",
      // The pool has memory of its own without hugepages.
      std::to_string(options.memory_mb - (hugepages ? 0 : pool_bytes(options) / megabyte))};
  // netvsc finds its virtual function among the PCI devices that DPDK took when it started.
  for (const auto& function : port::netvsc_functions()) {
    arguments.push_back("--allow=pci:" + function);
  }
  if (hugepages) {
    // DPDK locks the folder where it finds them mounted, and any user who may list that folder can lock it, too. In memory it takes
    // none of its files; where it finds no folder it goes without.
    arguments.insert(arguments.end(), {"--in-memory", "--huge-dir=/nonexistent"});
  } else {
    arguments.insert(arguments.end(), {"--no-huge", "--no-shconf"});  // which --in-memory excludes
  }
  return arguments;
}

// DPDK says of a CPU that is not there no more than that its option is wrong, in a hundred lines. The kernel is asked by trying: a
// CPU may be off, or another control group's.
void require_cpus(const Options& options) {
  cpu_set_t before;
  if (sched_getaffinity(0, sizeof(before), &before) != 0) {
    return;
  }
  const auto require = [&](unsigned cpu, std::string_view option) {
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    if (sched_setaffinity(0, sizeof(one), &one) == 0) {
      return;
    }
    sched_setaffinity(0, sizeof(before), &before);
    throw std::runtime_error(fmt::format("there is no CPU {} for {}: this process may use {}", cpu, option,
                                         fmt::join(own_cpus(), ", ")));
  };
  require(options.main_cpu, "--main");
  for (const auto cpu : options.worker_cpus) {
    require(cpu, "--workers");
  }
  sched_setaffinity(0, sizeof(before), &before);
}

}  // namespace

Environment::Environment(const Options& options) : lcores_{options.worker_cpus} {
  require_cpus(options);
  const auto free_mb = free_hugepage_bytes() / megabyte;
  hugepages_ = options.huge && free_mb >= options.memory_mb;
  rte_openlog_stream(open_eal_log());
  rte_log_set_global_level(options.log_level <= spdlog::level::debug ? RTE_LOG_INFO : RTE_LOG_WARNING);
  if (options.log_level > spdlog::level::debug) {
    rte_log_set_level_pattern("lib.eal",
                              RTE_LOG_ERR);  // it warns of each size of hugepages that is not there
    rte_log_set_level_pattern("lib.telemetry", RTE_LOG_ERR);  // it warns that nobody uses its older version
  }
  auto arguments = eal_arguments(options, hugepages_);
  std::vector<char*> argv;
  for (auto& argument : arguments) {
    argv.push_back(argument.data());
  }
  argv.push_back(nullptr);
  if (rte_eal_init(static_cast<int>(arguments.size()), argv.data()) < 0) {
    throw std::runtime_error(fmt::format(
        "DPDK does not start: {} (are the CPUs of --main and --workers there, and --memory free?)",
        rte_strerror(rte_errno)));
  }
  const auto count = static_cast<unsigned>(pool_bytes(options) / port::buffer_bytes(options.mtu));
  pool_ = port::make_packet_pool("packets", count, pool_cache, SOCKET_ID_ANY,
                                 hugepages_ ? port::PoolMemory::dpdk : port::PoolMemory::own, options.mtu);
  if (pool_ == nullptr) {
    const auto* const why = rte_strerror(rte_errno);
    rte_eal_cleanup();
    throw std::runtime_error(
        fmt::format("no memory for {} packet buffers: {}; give a larger --memory", count, why));
  }
  if (!hugepages_) {
    say_where_packets_lie(options, free_mb, port::pages_of(*pool_));
  }
}

Environment::~Environment() {
  rte_mempool_free(pool_);
  rte_eal_cleanup();
}

}  // namespace sekisho
