// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <algorithm>

#include "control/doctor/checks.hpp"
#include "control/doctor/needs.hpp"

namespace sekisho::doctor {
namespace {

// DPDK owns it: the device reads and writes packets by itself.
bool needs_hugepages(const Port& port) {
  return port.nic.has_value();
}

constexpr const char* restart = "systemctl restart sekisho-dataplane";
constexpr const char* make_transparent =
    "echo madvise >/sys/kernel/mm/transparent_hugepage/enabled && systemctl restart sekisho-dataplane";

}  // namespace

Findings check_hugepages(const System& system) {
  const std::string name = "hugepages";
  const auto& pages = system.hugepages;
  if (system.control && system.control->has_dataplane && system.control->hugepages) {
    return {ok(name, fmt::format("the dataplane uses hugepages; {} MB more are free", pages.free / mb))};
  }
  const bool needed = std::ranges::any_of(system.ports, needs_hugepages);
  const auto want = system.packet_bytes + system.table_bytes;
  const auto page = std::max(pages.page, 2 * mb);
  const auto count = (pages.total - pages.free + want + page - 1) / page;
  const auto mend = fmt::format(
      "echo vm.nr_hugepages={} >/etc/sysctl.d/60-sekisho.conf && sysctl --system && systemctl restart "
      "sekisho-dataplane",
      count);
  const auto sentence =
      fmt::format("{} MB are free, and {} are wanted: {} for packets, {} for tables", pages.free / mb,
                  want / mb, system.packet_bytes / mb, system.table_bytes / mb);
  const bool runs = system.control && system.control->has_dataplane;
  if (needed && (runs || pages.free < system.packet_bytes)) {
    return {bad(name, sentence + "; ports that DPDK owns do not work without",
                pages.free < system.packet_bytes ? mend : restart)};
  }
  if (runs) {
    const auto all = system.control->packet_bytes;
    const auto small = all - system.control->transparent_packet_bytes;
    if (all != 0 && small == 0) {
      return {ok(name, "packets lie in transparent hugepages: no port here needs reserved ones")};
    }
    return {warning(name,
                    all == 0 ? "the dataplane started without hugepages"
                             : fmt::format("{} of {} MB of packets lie in 4 KB pages: forwarding is slower",
                                           small / mb, all / mb),
                    pages.free >= system.packet_bytes ? restart
                    : pages.transparent               ? mend
                                                      : make_transparent)};
  }
  if (pages.free >= want) {
    return {ok(name, sentence)};
  }
  if (pages.transparent) {
    return {ok(name, sentence + "; transparent hugepages do as well")};
  }
  return {warning(name,
                  sentence + (pages.free < system.packet_bytes ? "; without hugepages it runs, slower"
                                                               : "; some lookups will be slower"),
                  mend)};
}

Findings check_memory(const System& system) {
  constexpr std::uint64_t reserve =
      128 * mb;  // for control, while it reads a full Internet table, and all else
  const std::string name = "memory";
  const bool running = system.control && system.control->has_dataplane;
  const auto want = system.packet_bytes + system.table_bytes;
  const auto need = reserve + (running || system.hugepages.free >= want ? 0 : want);
  const auto sentence = fmt::format("{} MB are available", system.available_memory / mb);
  if (system.available_memory < need) {
    return {bad(name, fmt::format("{}, and {} are needed", sentence, need / mb),
                "give the machine more memory, or the dataplane a smaller --memory")};
  }
  return {ok(name, sentence)};
}

namespace {

std::vector<unsigned> without(std::vector<unsigned> cpus, const std::vector<unsigned>& others) {
  std::erase_if(cpus, [&](unsigned cpu) { return std::ranges::find(others, cpu) != others.end(); });
  return cpus;
}

}  // namespace

// A worker that is not scheduled loses packets.
Findings check_lcores(const System& system) {
  const std::string name = "lcores";
  const bool running = system.control && system.control->has_dataplane;
  const auto& workers = running ? system.control->workers : system.workers;
  const auto text = cpus_text(workers);
  if (const auto missing = without(workers, system.cpus); !missing.empty()) {
    return {bad(name, fmt::format("workers are to run on CPU {}, which is not there", cpus_text(missing)),
                "editor /etc/sekisho/dataplane.env && systemctl restart sekisho-dataplane")};
  }
  if (system.cpus.size() == 1) {
    return {warning(name, "there is one CPU, on which everything else runs, too",
                    "give the machine a second CPU")};
  }
  // CPU 0 keeps what the kernel cannot move.
  const auto isolatable = without(workers, {0});
  if (isolatable.empty()) {
    return {warning(
        name, "the worker runs on CPU 0, as the kernel's own work does",
        "echo 'SEKISHO_DATAPLANE_OPTIONS=--main 0 --workers 1' >>/etc/sekisho/dataplane.env && systemctl "
        "restart sekisho-dataplane")};
  }
  if (!without(isolatable, system.isolated).empty()) {
    const auto cpus = cpus_text(isolatable);
    return {warning(
        name,
        fmt::format("CPU {} of the workers is not isolated: other programs run there, and packets wait",
                    cpus_text(without(isolatable, system.isolated))),
        fmt::format("add isolcpus={0} nohz_full={0} rcu_nocbs={0} to GRUB_CMDLINE_LINUX in "
                    "/etc/default/grub, run update-grub and restart the machine",
                    cpus))};
  }
  const bool tickless = without(isolatable, system.tickless).empty();
  return {ok(name, fmt::format("workers run on the isolated CPU {}{}", text,
                               tickless ? "" : ", with the kernel's tick (nohz_full would end it)"))};
}

}  // namespace sekisho::doctor
