#include <fmt/format.h>

#include <algorithm>

#include "control/doctor/checks.hpp"

namespace sekisho::doctor {
namespace {

// Written with physical addresses, which only hugepages keep.
bool needs_hugepages(const Port& port) {
  return port.nic && (port.nic->driver == "uio_pci_generic" || port.nic->driver == "igb_uio");
}

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
  if (pages.free < system.packet_bytes) {
    return {needed ? bad(name, sentence + "; ports on a UIO driver do not work without", mend)
                   : warning(name, sentence + "; without hugepages it runs, slower", mend)};
  }
  if (system.control && system.control->has_dataplane) {
    return {warning(name, "hugepages are free, and the dataplane started without any",
                    "systemctl restart sekisho-dataplane")};
  }
  if (pages.free < want) {
    return {warning(name, sentence + "; some lookups will be slower", mend)};
  }
  return {ok(name, sentence)};
}

}  // namespace sekisho::doctor
