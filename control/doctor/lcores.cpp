// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <algorithm>

#include "control/doctor/checks.hpp"
#include "control/doctor/cpus.hpp"

namespace sekisho::doctor {
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
