// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/writer/host_changes.hpp"

#include <fmt/format.h>

#include <set>

#include "common/base/mac_address.hpp"
#include "dataplane/host/tap.hpp"
#include "dataplane/writer/publish.hpp"

namespace sekisho::writer {

auto open_tap(const LivePort& port) -> tl::expected<host::Tap, std::string> {
  return host::Tap::open({.kind = host::Tap::Kind::frames,
                          .name = port.config.companion,
                          .alias = fmt::format("{}{}", host::companion_alias, port.config.name),
                          .mtu = port.device->mtu(),
                          .mac = port.device->mac()});
}

auto give_companion(Live& live, LivePort& port) -> Result {
  if (port.config.companion.empty()) {
    port.companion = std::make_unique<host::Companion>(live.host);
    return {};
  }
  if (port.device->mac() == base::MacAddress{}) {
    return tl::unexpected(port.config.device +
                          ": it has no MAC address, hence no companion; set `companion = false`");
  }
  auto tap = open_tap(port);
  if (!tap) {
    return tl::unexpected(tap.error());
  }
  port.companion = std::make_unique<host::Companion>(live.host, std::move(*tap), port.device->mtu());
  return {};
}

// What the kernel refused has not gone to the host.
void take_companion(Live& live, LivePort& port) {
  if (port.companion == nullptr) {
    return;
  }
  port.companion->close();
  if (const auto refused = port.companion->refused(); refused != 0) {
    auto& counted = live.workers.front()->mutable_counters().ports[port.index];
    counted.host.add(std::uint64_t{0} - refused);
    counted.drops[static_cast<std::size_t>(decide::DropReason::host_refused)].add(refused);
  }
  port.companion.reset();
}

void HostChanges::publish() {
  if (!wanted_.exit || live_.exit.device != nullptr) {
    return;
  }
  undo_.add([this, error = live_.exit.error] {
    live_.exit.device.reset();
    live_.exit.error = error;
  });
  auto exit = host::Exit::open(live_.host);
  live_.exit.error = exit ? std::string{} : exit.error();
  if (exit) {
    live_.exit.device = std::move(*exit);
  }
}

void HostChanges::settle() {
  auto& exit = live_.exit;
  if (exit.device != nullptr && wanted_.exit) {
    const auto& port = live_.ports.at(*wanted_.exit);
    exit.mtu = 0;
    exit.error = fmt::format("port {} does not run", *wanted_.exit);
    if (port.usable()) {
      const auto done = exit.device->adopt(port.device->mac(), port.device->mtu());
      exit.mtu = done ? port.device->mtu() : std::uint16_t{0};
      exit.error = done ? std::string{} : done.error();
    }
  } else if (!wanted_.exit) {
    exit.mtu = 0;
    exit.error.clear();
  }
  auto next = *live_.state;
  next.exit_mtu = exit.mtu;
  next.exit_port = exit.mtu == 0 ? forward::PortIndex{0} : live_.ports.at(*wanted_.exit).index;
  publish_state(live_, next);
  publish_queues();
  if (!wanted_.exit) {
    exit.device.reset();
  }
}

void HostChanges::publish_queues() {
  std::vector<std::vector<forward::HostQueue>> next(live_.workers.size());
  const auto add = [&](const LivePort& port, rte_ring* ring, bool judged) {
    // The worker of the port's first queue.
    next[port.workers.front()].push_back({.port = {.port = port.index,
                                                   .dpdk_port = port.device->dpdk_port(),
                                                   .station = port.device->mac(),
                                                   .generated = judged},
                                          .ring = ring,
                                          .judged = judged});
  };
  for (const auto& [name, port] : live_.ports) {
    if (!port.usable()) {
      continue;
    }
    if (port.companion != nullptr && port.companion->has_tap()) {
      add(port, port.companion->from_host(), false);
    }
    if (live_.exit.mtu != 0 && wanted_.exit == name) {
      add(port, live_.exit.device->packets(), true);
    }
  }
  writer::publish_queues(live_, live_.host_queues, std::move(next), &forward::Worker::set_host_queues);
}

void HostChanges::sweep() const {
  std::set<std::string> companions;
  for (const auto& [name, config] : wanted_.ports) {
    companions.insert(config.companion);
  }
  host::remove_stale(host::companion_alias, companions);
  if (!wanted_.exit) {
    host::remove_stale(host::exit_alias, {});
  }
}

}  // namespace sekisho::writer
