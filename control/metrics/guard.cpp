// SPDX-License-Identifier: BSD-3-Clause
#include "control/metrics/guard.hpp"

namespace sekisho::metrics {

void add_guard(Text& text, const Guarding& guarding) {
  const auto holds = [](bool closed) { return std::uint64_t{closed ? 1U : 0U}; };
  const auto& truth = guarding.truth;
  text.family("sekisho_guard_lock", Type::gauge, "",
              "1 when this lock keeps the kernel from forwarding past the firewall, asked of the kernel.");
  text.sample({{"lock", "nftables"}}, holds(truth.table.has_value()));
  text.sample({{"lock", "forwarding"}},
              holds(truth.forwarding.empty() && !truth.new_links_forward && !truth.ipv6_forwards));
  for (const auto& port : truth.ports) {
    text.sample({{"lock", "tc"}, {"port", port.port}}, holds(port.has_ingress));
    if (port.is_steered) {
      text.sample({{"lock", "steering"}, {"port", port.port}}, holds(*port.is_steered));
    }
    if (!port.is_exit) {
      text.sample({{"lock", "forwarding"}, {"port", port.port}},
                  holds(!port.interface.empty() && !port.forwards));
    }
  }
  text.family("sekisho_guard_problems", Type::gauge, "", "Locks that should hold and do not.");
  text.sample({}, std::uint64_t{guard::problems(truth).size()});
  text.family("sekisho_guard_restored", Type::counter, "",
              "How often sekisho-control put a lock back that somebody had taken away.");
  text.sample({{"lock", "nftables"}}, guarding.restored.table);
  text.sample({{"lock", "tc"}}, guarding.restored.ingress);
  text.sample({{"lock", "forwarding"}}, guarding.restored.forwarding);
  text.family(
      "sekisho_guard_dropped_packets", Type::counter, "packets",
      "What the tc program dropped at the ports' interfaces since sekisho-control started, by reason.");
  for (const auto& [reason, count] : guarding.dropped) {
    text.sample({{"reason", reason}}, count);
  }
}

}  // namespace sekisho::metrics
