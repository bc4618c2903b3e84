#include <algorithm>

#include "dataplane/writer/books.hpp"
#include "dataplane/writer/reuse.hpp"
#include "dataplane/writer/transition.hpp"

namespace sekisho::writer {
namespace {

// An AF_XDP port stays with its interface, whatever that is renamed to, and follows its MTU.
bool needs_other_device(const LivePort& port, const port::PortConfig& config) {
  if (port.config.has_interface_of(config)) {
    return false;
  }
  return port.config.device != config.device || port.config.mtu != config.mtu ||
         port.config.instance != config.instance || port.config.companion != config.companion;
}

}  // namespace

bool Transition::is_due(const LivePort& port, const port::PortConfig& config) const {
  return port.device == nullptr &&
         (port.error.empty() || target_.retry_failed_ports || port.config != config);
}

bool Transition::device_held(const port::PortConfig& config) const {
  const auto holds = [&](const LivePort& port) {
    return port.device != nullptr &&
           (device_name(port.config.device) == device_name(config.device) ||
            port.config.has_interface_of(config) ||
            (!config.companion.empty() && port.config.companion == config.companion));
  };
  return std::ranges::any_of(live_.ports, [&](const auto& port) { return holds(port.second); }) ||
         std::ranges::any_of(replaced_ports_, holds);
}

// No worker polls it any more.
void Transition::close(LivePort& port) {
  take_companion(port);
  if (port.device != nullptr) {
    port.device->revoke();
    port.closed.books = books_of(live_, port);
    port.closed.books.set_missed(port.closed.books.missed() + port.closed.books.held());
    port.closed.books.clear_held();
    const auto steered = port.device->steer_counters();
    const auto redirected = steered.find("redirected");
    port.closed.ifindex = port.device->ifindex();
    port.closed.redirected +=
        redirected == steered.end() ? 0 : redirected->second - port.device->redirected_before();
    port.closed.missed += port.device->missed() + port.device->held();
  }
  port.device.reset();
  port.workers.clear();
  port.unsteered.clear();
}

// A queue stays with its worker for as long as the port runs: two workers must never poll it at once.
void Transition::open(LivePort& port, const port::PortConfig& config) {
  attempted_ports_.insert(config.name);
  port.config = config;
  port.error.clear();
  port.workers.clear();
  port.link.reset();
  port.sources = std::make_shared<const forward::HostSources>(host_sources_of(config.name));
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
  if (auto done = give_companion(port); !done) {
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

// What the kernel has changed already can be neither refused nor taken back.
void Transition::follow_interfaces() {
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

// Those whose device nobody holds. The others' is closed first, when nothing can be refused any more.
void Transition::open_early_ports() {
  for (const auto& [name, config] : wanted_.ports) {
    auto& port = live_.ports.at(name);
    if (device_held(config)) {
      continue;
    }
    if (is_due(port, config)) {
      undo_.emplace_back([this, &port, before = port.config, error = port.error] {
        take_companion(port);
        port.device.reset();
        port.config = before;
        port.error = error;
        port.workers.clear();
      });
      open(port, config);
    } else if (port.device != nullptr && needs_other_device(port, config)) {
      if (const auto index = live_.port_indexes.take()) {
        replace(config, *index);
      }
    }
  }
  publish_state_undoably(with_ports(*live_.state));
}

void Transition::replace(const port::PortConfig& config, unsigned index) {
  auto& port = live_.ports.at(config.name);
  replaced_ports_.push_back(std::exchange(port, LivePort{}));
  port.index = static_cast<forward::PortIndex>(index);
  undo_.emplace_back([this, &port, index] {
    port = std::move(replaced_ports_.back());
    replaced_ports_.pop_back();
    forget_port(live_, static_cast<forward::PortIndex>(index));
    live_.port_indexes.give_back(index);
  });
  open(port, config);
}

void Transition::close_ports() {
  for (auto& port : replaced_ports_) {
    port.closing = true;
  }
  for (auto& [name, port] : live_.ports) {
    const auto config = wanted_.ports.find(name);
    if (config == wanted_.ports.end() ||
        (port.device != nullptr && needs_other_device(port, config->second))) {
      port.closing = true;
    }
  }
  take_down();
  for (const auto& port : replaced_ports_) {
    auto& successor = live_.ports.at(port.config.name);
    add(successor.earlier, port.earlier);
    add(successor.earlier, port.closed.books);
    forget_port(live_, port.index);
    live_.port_indexes.give_back(port.index);
  }
  replaced_ports_.clear();
  std::erase_if(live_.ports, [&](const auto& entry) {
    const auto& [name, port] = entry;
    if (wanted_.ports.contains(name)) {
      return false;
    }
    forget_port(live_, port.index);
    live_.port_indexes.give_back(port.index);
    return true;
  });
}

// Nothing is sent there, nothing is received there, then nobody knows the device any more.
void Transition::take_down() {
  publish_adjacencies(Publish::all);
  publish_queues();
  publish_host_queues();
  live_.qsbr.synchronize();
  publish_state(with_zones(with_ports(*live_.state)));
  const auto close_marked = [this](LivePort& port) {
    if (std::exchange(port.closing, false)) {
      close(port);
    }
  };
  for (auto& [name, port] : live_.ports) {
    close_marked(port);
  }
  std::ranges::for_each(replaced_ports_, close_marked);
}

void Transition::open_late_ports() {
  for (const auto& [name, config] : wanted_.ports) {
    auto& port = live_.ports.at(name);
    if (is_due(port, config) && !attempted_ports_.contains(name)) {
      open(port, config);
    }
  }
  publish_state(with_ports(*live_.state));
  publish_adjacencies(Publish::all);
}

void Transition::admit_ports() {
  bool failed = false;
  for (const auto& name : attempted_ports_) {
    auto& port = live_.ports.at(name);
    if (port.device == nullptr) {
      continue;
    }
    if (auto done = port.device->admit(); !done) {
      port.error = done.error();
      port.closing = failed = true;
    }
  }
  if (failed) {
    take_down();
  }
}

void Transition::set_local_addresses() {
  for (const auto& [name, config] : wanted_.ports) {
    auto& port = live_.ports.at(name);
    if (port.device == nullptr) {
      continue;
    }
    // Its companion's error is not ours to forget when there is nothing to do.
    auto done = set_host_sources(port);
    if (done && port.config.local == config.local && port.error.empty()) {
      continue;
    }
    done = std::move(done).and_then([&] { return port.device->set_local(config.local); });
    port.error = done ? std::string{} : done.error();
    if (done) {
      port.config.local = config.local;
      port.config.host_sources = config.host_sources;
    }
  }
}

// Zones and own addresses of other ports are in them, too: they may be others although this port's configuration is the same.
auto Transition::set_host_sources(LivePort& port) -> Result {
  auto sources = host_sources_of(port.config.name);
  if (*port.sources == sources) {
    return {};
  }
  auto done = port.device->set_sources(sources);
  if (done) {
    port.sources = std::make_shared<const forward::HostSources>(std::move(sources));
  }
  return done;
}

}  // namespace sekisho::writer
