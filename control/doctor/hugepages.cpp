// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <algorithm>

#include "control/doctor/checks.hpp"

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

}  // namespace sekisho::doctor
