// SPDX-License-Identifier: BSD-3-Clause
#include "control/reconcile/failures.hpp"

#include <utility>

namespace sekisho::reconcile {

void Failures::clear() {
  ports_.clear();
  exit_.clear();
}

void Failures::on_committed(const ipc::Committed& committed, Moment& moment) {
  const auto before = std::exchange(ports_, {});
  for (const auto& port : committed.failed_ports()) {
    ports_[port.name()] = port.error();
    if (const auto old = before.find(port.name()); old == before.end() || old->second != port.error()) {
      moment.warn("port {} failed: {}", port.name(), port.error());
    }
  }
  for (const auto& [port, why] : before) {
    if (!ports_.contains(port)) {
      moment.info("port {} runs now", port);
    }
  }
  const auto& exit = committed.exit();
  auto why = committed.has_exit() && !exit.running() ? exit.error() : std::string{};
  if (!why.empty() && why != exit_) {
    moment.warn("next hop Internet: {}", why);
  }
  exit_ = std::move(why);
}

auto Failures::on_port(const ipc::PortState& port, Moment& moment) -> bool {
  if (port.running()) {
    if (ports_.erase(port.name()) != 0) {
      moment.info("port {} runs now", port.name());
    }
    return false;
  }
  if (port.error().empty()) {
    return false;
  }
  if (auto& why = ports_[port.name()]; std::exchange(why, port.error()) != port.error()) {
    moment.warn("port {} failed: {}", port.name(), port.error());
  }
  return true;
}

}  // namespace sekisho::reconcile
