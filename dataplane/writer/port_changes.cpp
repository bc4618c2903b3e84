// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/writer/port_changes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

#include "dataplane/writer/books.hpp"
#include "dataplane/writer/host_changes.hpp"
#include "dataplane/writer/indexes.hpp"
#include "dataplane/writer/publish.hpp"

namespace sekisho::writer {
namespace {

// Why the MTU cannot be had: to get it the port would be closed, and not open again. Empty where it can, or is not asked for.
std::string mtu_refusal(const LivePort& port, const port::PortConfig& config) {
  const bool is_refused = port.device != nullptr && port.device->most_mtu() != 0 &&
                          config.mtu > port.device->most_mtu() && port.config.mtu != config.mtu &&
                          port.config.device == config.device && port.config.instance == config.instance &&
                          port.config.companion == config.companion;
  return is_refused ? fmt::format("port {}: {} does not take an MTU of {}; the most it takes is {}",
                                  port.config.name, config.device, config.mtu, port.device->most_mtu())
                    : std::string{};
}

// An AF_XDP port stays with its interface, whatever that is renamed to, and follows its MTU. Any port keeps the device that does not
// take a wanted MTU.
bool needs_other_device(const LivePort& port, const port::PortConfig& config) {
  if (port.device != nullptr && port.device->has_lost_netdev()) {
    return true;
  }
  if (port.config.has_interface_of(config) || !mtu_refusal(port, config).empty()) {
    return false;
  }
  return port.config.device != config.device || port.config.mtu != config.mtu ||
         port.config.instance != config.instance || port.config.companion != config.companion;
}

void add_clamping(forward::MssClamping& clamping, const LivePort& port) {
  clamping.mtus[port.index] = port.device->mtu();
  if (port.config.mss_clamp) {
    const auto bit = forward::PortMask{1} << port.index;
    clamping.ports |= bit;
    if (*port.config.mss_clamp == 0) {
      clamping.by_mtu |= bit;
    } else {
      clamping.most[port.index] = *port.config.mss_clamp;
    }
  }
}

}  // namespace

auto PortChanges::prepare() -> Result {
  for (const auto& [name, config] : wanted_.ports) {
    if (const auto live = live_.ports.find(name); live != live_.ports.end()) {
      // A reload is refused for it. Control that has just started has nothing else to say than its whole policy, which has to come into
      // force: then it is this port's error, and the changes after that are not refused for what is known.
      auto refusal = mtu_refusal(live->second, config);
      if (!refusal.empty() && !is_full_ && live->second.error != refusal) {
        return tl::unexpected(std::move(refusal));
      }
      continue;
    }
    const auto index = take_index(live_, live_.port_indexes, "ports");
    if (!index) {
      return tl::unexpected(index.error());
    }
    live_.ports[name].index = static_cast<forward::PortIndex>(*index);
    undo_.add([this, name, index] {
      live_.ports.erase(name);
      forget_port(live_, static_cast<forward::PortIndex>(*index));
      live_.port_indexes.give_back(*index);
    });
  }
  return {};
}

void PortChanges::publish() {
  follow_interfaces();
  for (const auto& [name, config] : wanted_.ports) {
    auto& port = live_.ports.at(name);
    if (device_held(config)) {
      continue;
    }
    if (is_due(port, config)) {
      open_undoably(port, config);
    } else if (port.device != nullptr && needs_other_device(port, config)) {
      if (const auto index = live_.port_indexes.take()) {
        replace(config, *index);
      }
    }
  }
  undo_.add([this, before = *live_.state] { publish_state(live_, before); });
  publish_state(live_, in(*live_.state));
}

// What the kernel has changed already can be neither refused nor taken back.
void PortChanges::follow_interfaces() {
  for (const auto& [name, config] : wanted_.ports) {
    auto& port = live_.ports.at(name);
    if (port.device == nullptr || !port.config.has_interface_of(config)) {
      continue;
    }
    port.config.device = config.device;
    port.config.configured = config.configured;
    port.config.mtu = config.mtu;
    port.config.device_mtu = config.device_mtu;
    port.device->follow_mtu(config);
  }
}

void PortChanges::open_undoably(LivePort& port, const port::PortConfig& config) {
  undo_.add(
      [this, &port, before = port.config, error = port.error, sources = port.sources, link = port.link] {
        take_companion(live_, port);
        port.device.reset();
        port.config = before;
        port.error = error;
        port.sources = sources;
        port.link = link;
        port.workers.clear();
      });
  open(port, config);
}

void PortChanges::replace(const port::PortConfig& config, unsigned index) {
  auto& port = live_.ports.at(config.name);
  replaced_.push_back(std::exchange(port, LivePort{}));
  port.index = static_cast<forward::PortIndex>(index);
  undo_.add([this, &port, index] {
    take_companion(live_, port);
    port = std::move(replaced_.back());
    replaced_.pop_back();
    forget_port(live_, static_cast<forward::PortIndex>(index));
    live_.port_indexes.give_back(index);
  });
  open(port, config);
}

// A queue stays with its worker for as long as the port runs: two workers must never poll it at once.
void PortChanges::open(LivePort& port, const port::PortConfig& config) {
  attempted_.insert(config.name);
  port.config = config;
  port.error.clear();
  port.workers.clear();
  port.link.reset();
  port.sources = std::make_shared<const decide::HostSources>(host_sources_of(config.name));
  auto device =
      port::Port::open(config, *port.sources, static_cast<unsigned>(live_.workers.size()), live_.pool);
  if (!device) {
    port.error = device.error();
    return;
  }
  port.device = std::move(*device);
  if (port.closed.ifindex != port.device->ifindex()) {
    // Another interface begins its own books, and so do workers.
    add(port.earlier, port.closed.books);
    port.closed = {};
    forget_port(live_, port.index);
  }
  if (auto done = give_companion(live_, port); !done) {
    port.error = done.error();
    port.device.reset();
    return;
  }
  std::vector<unsigned> load(live_.workers.size());
  for (const auto& [name, other] : live_.ports) {
    for (const auto worker : other.workers) {
      ++load[worker];
    }
  }
  for (unsigned queue = 0; queue < port.device->rx_queues(); ++queue) {
    const auto least = std::ranges::min_element(load);
    ++*least;
    port.workers.push_back(static_cast<unsigned>(least - load.begin()));
  }
}

void PortChanges::mark_leaving() {
  for (auto& port : replaced_) {
    port.closing = true;
  }
  for (auto& [name, port] : live_.ports) {
    const auto config = wanted_.ports.find(name);
    if (config == wanted_.ports.end() ||
        (port.device != nullptr && needs_other_device(port, config->second))) {
      port.closing = true;
    }
  }
}

// A worker that sleeps is no reader, so that a grace period may end before it has looked; and it counts what has waited no more
// before it counts where that went. Hence both.
void PortChanges::let_go() {
  const auto is_closing = [](const LivePort& port) { return port.closing; };
  const auto waits = [this](const LivePort& port) {
    return port.closing && std::ranges::any_of(live_.workers, [&](const forward::Worker* worker) {
             return worker->counters().ports[port.index].waiting.get() != 0;
           });
  };
  const auto any = [this](const auto& of_port) {
    return std::ranges::any_of(replaced_, of_port) ||
           std::ranges::any_of(live_.ports, [&](const auto& port) { return of_port(port.second); });
  };
  while (any(waits)) {
    std::this_thread::sleep_for(std::chrono::milliseconds{1});
  }
  if (any(is_closing)) {
    live_.qsbr.synchronize();
  }
}

void PortChanges::close_marked() {
  const auto close_if_marked = [this](LivePort& port) {
    if (std::exchange(port.closing, false)) {
      close(port);
    }
  };
  for (auto& [name, port] : live_.ports) {
    close_if_marked(port);
  }
  std::ranges::for_each(replaced_, close_if_marked);
}

void PortChanges::close(LivePort& port) {
  take_companion(live_, port);
  if (port.device != nullptr) {
    port.device->revoke();
    port.closed.books = books_of(live_, port);
    port.closed.books.set_missed(port.closed.books.missed() + port.closed.books.held());
    port.closed.books.clear_held();
    port.closed.missed += missed_by(live_, port) + port.device->held();
    const auto steered = port.device->steer_counters();
    const auto redirected = steered.find("redirected");
    port.closed.ifindex = port.device->ifindex();
    port.closed.redirected +=
        redirected == steered.end() ? 0 : redirected->second - port.device->redirected_before();
  }
  port.device.reset();
  port.workers.clear();
  port.unsteered.clear();
  port.mute = false;
}

void PortChanges::sweep() {
  const auto forget = [this](const LivePort& port) {
    forget_port(live_, port.index);
    live_.port_indexes.give_back(port.index);
  };
  for (const auto& port : replaced_) {
    auto& successor = live_.ports.at(port.config.name);
    add(successor.earlier, port.earlier);
    add(successor.earlier, port.closed.books);
    forget(port);
  }
  replaced_.clear();
  std::erase_if(live_.ports, [&](const auto& entry) {
    const bool gone = !wanted_.ports.contains(entry.first);
    if (gone) {
      forget(entry.second);
    }
    return gone;
  });
}

void PortChanges::open_late() {
  for (const auto& [name, config] : wanted_.ports) {
    auto& port = live_.ports.at(name);
    if (is_due(port, config) && !attempted_.contains(name)) {
      open(port, config);
    }
  }
  publish_state(live_, in(*live_.state));
}

bool PortChanges::admit() {
  bool good = true;
  for (const auto& name : attempted_) {
    auto& port = live_.ports.at(name);
    if (port.device == nullptr) {
      continue;
    }
    if (auto done = port.device->admit(); !done) {
      port.error = done.error();
      port.closing = true;
      good = false;
    }
  }
  return good;
}

void PortChanges::set_local_addresses() {
  for (const auto& [name, config] : wanted_.ports) {
    auto& port = live_.ports.at(name);
    if (port.device == nullptr) {
      continue;
    }
    port.config.address = config.address;
    port.config.mss_clamp = config.mss_clamp;
    // Its companion's error is not ours to forget when there is nothing to do.
    auto done = set_host_sources(port);
    auto refusal = mtu_refusal(port, config);
    if (done && port.config.local == config.local && port.error == refusal) {
      continue;
    }
    done = std::move(done).and_then([&] { return port.device->set_local(config.local); });
    port.error = done ? std::move(refusal) : done.error();
    if (done) {
      port.config.local = config.local;
      port.config.host_sources = config.host_sources;
    }
  }
  publish_state(live_, in(*live_.state));
}

// Zones and own addresses of other ports are in them, too: they may be others although this port's configuration is the same.
auto PortChanges::set_host_sources(LivePort& port) -> Result {
  auto sources = host_sources_of(port.config.name);
  if (*port.sources == sources) {
    return {};
  }
  auto done = port.device->set_sources(sources);
  if (done) {
    port.sources = std::make_shared<const decide::HostSources>(std::move(sources));
  }
  return done;
}

auto PortChanges::host_sources_of(const std::string& port) const -> decide::HostSources {
  decide::HostSources::Rules rules;
  for (const auto& [name, zone] : wanted_.zones) {
    rules.add_zone(zone.sources, std::ranges::binary_search(zone.ports, port));
  }
  rules.allow(wanted_.ports.at(port).host_sources);
  for (const auto& [name, config] : wanted_.ports) {
    rules.add_own(config.local);
  }
  return decide::HostSources{std::move(rules)};
}

bool PortChanges::is_due(const LivePort& port, const port::PortConfig& config) const {
  return port.device == nullptr && (port.error.empty() || is_full_ || port.config != config);
}

bool PortChanges::device_held(const port::PortConfig& config) const {
  const auto holds = [&](const LivePort& port) {
    return port.device != nullptr &&
           (device_name(port.config.device) == device_name(config.device) ||
            port.config.has_interface_of(config) ||
            (!config.companion.empty() && port.config.companion == config.companion));
  };
  return std::ranges::any_of(live_.ports, [&](const auto& port) { return holds(port.second); }) ||
         std::ranges::any_of(replaced_, holds);
}

void PortChanges::for_each_usable(auto visit) const {
  for (const auto& [name, port] : live_.ports) {
    if (port.usable()) {
      visit(port);
    }
  }
  for (const auto& port : replaced_) {
    if (port.usable()) {
      visit(port);
    }
  }
}

auto PortChanges::in(forward::ForwardingState state) const -> forward::ForwardingState {
  state.ports = {};
  state.host = {};
  state.icmp = wanted_.icmp;
  state.options = wanted_.options;
  state.clamping = {};
  for_each_usable([&](const LivePort& port) {
    state.ports[port.index] = {.dpdk_port = port.device->dpdk_port(),
                               .tx_queues = port.mute ? std::uint16_t{0} : port.device->tx_queues()};
    state.host[port.index] = {.ring = port.companion->to_host(),
                              .companion = port.companion->has_tap(),
                              .steered = port.device->ifindex() != 0,
                              .address = port.config.address,
                              .local = port.config.local,
                              .sources = port.sources};
    add_clamping(state.clamping, port);
  });
  if (state.exit_mtu != 0 && wanted_.exit) {
    state.exit_port = live_.ports.at(*wanted_.exit).index;
  }
  return state;
}

auto PortChanges::mask_of(const std::vector<std::string>& names) const -> forward::PortMask {
  forward::PortMask mask = 0;
  for (const auto& name : names) {
    mask |= forward::PortMask{1} << live_.ports.at(name).index;
    for (const auto& replaced : replaced_) {
      if (replaced.config.name == name && !replaced.closing) {
        mask |= forward::PortMask{1} << replaced.index;
      }
    }
  }
  return mask;
}

void PortChanges::publish_queues() {
  std::vector<std::vector<forward::RxQueue>> next(live_.workers.size());
  for_each_usable([&](const LivePort& port) {
    for (std::size_t queue = 0; queue < port.workers.size(); ++queue) {
      next[port.workers[queue]].push_back({.port = port.index,
                                           .dpdk_port = port.device->dpdk_port(),
                                           .queue = static_cast<std::uint16_t>(queue),
                                           .station = port.device->mac()});
    }
  });
  for (auto& queues : next) {
    std::ranges::sort(queues, {}, [](const auto& queue) { return std::pair{queue.port, queue.queue}; });
  }
  writer::publish_queues(live_, live_.queues, std::move(next), &forward::Worker::set_queues);
}

unsigned PortChanges::revived() const {
  return static_cast<unsigned>(std::ranges::count_if(attempted_, [this](const std::string& name) {
    const auto before = live_.configuration.ports.find(name);
    return before != live_.configuration.ports.end() && before->second == wanted_.ports.at(name) &&
           live_.ports.at(name).usable();
  }));
}

}  // namespace sekisho::writer
