#include <algorithm>

#include "dataplane/writer/transition.hpp"

namespace sekisho::writer {
namespace {

bool same(const fib::Adjacency& a, const fib::Adjacency& b) {
  return a.ethernet == b.ethernet && a.mtu == b.mtu && a.port == b.port && a.action == b.action &&
         a.address == b.address;
}

bool same(const forward::ForwardingState& a, const forward::ForwardingState& b) {
  const auto same_zone = [](const forward::Zone& x, const forward::Zone& y) {
    return x.ports == y.ports && x.table == y.table;
  };
  const auto same_port = [](const forward::EgressPort& x, const forward::EgressPort& y) {
    return x.dpdk_port == y.dpdk_port && x.tx_queues == y.tx_queues;
  };
  return a.sources == b.sources && a.next_hops == b.next_hops && a.exit_mtu == b.exit_mtu &&
         a.host == b.host && std::ranges::equal(a.zones, b.zones, same_zone) &&
         std::ranges::equal(a.ports, b.ports, same_port);
}

}  // namespace

auto Transition::resolve(const AdjacencyId& id, const AdjacencySpec& spec) const -> fib::Adjacency {
  const auto& port = live_.ports.at(id.port);
  fib::Adjacency adjacency{.port = port.index, .action = fib::Action::unresolved, .address = id.address};
  if (spec.mac) {
    std::ranges::copy(*spec.mac, adjacency.ethernet.begin());
  }
  adjacency.ethernet[12] = 0x08;
  if (port.usable()) {
    std::ranges::copy(port.device->mac(), adjacency.ethernet.begin() + 6);
    adjacency.mtu = port.device->mtu();
    if (spec.mac && spec.alive) {
      adjacency.action = fib::Action::forward;
    }
  }
  return adjacency;
}

void Transition::publish_adjacencies(Publish which) {
  for (const auto& [id, spec] : wanted_.adjacencies) {
    auto& live = live_.adjacencies.at(id);
    const auto next = resolve(id, spec);
    const bool is_loss = live.published.action == fib::Action::forward && next.action != fib::Action::forward;
    if (same(live.published, next) || (is_loss && which == Publish::all_but_losses)) {
      continue;
    }
    undo_.emplace_back([this, &live, before = live.published] {
      if (before.action == fib::Action::no_route) {  // it was not there
        live_.next_hops.clear_adjacency(live.index);
      } else {
        live_.next_hops.set_adjacency(live.index, before);
      }
      live.published = before;
    });
    live_.next_hops.set_adjacency(live.index, next);
    live.published = next;
  }
}

auto Transition::with_ports(forward::ForwardingState state) const -> forward::ForwardingState {
  state.ports = {};
  state.host = {};
  state.exit_mtu = live_.exit.mtu;
  const auto add = [&](const LivePort& port) {
    if (port.usable()) {
      state.ports[port.index] = {.dpdk_port = port.device->dpdk_port(),
                                 .tx_queues = port.device->tx_queues()};
      state.host[port.index] = {.ring = port.companion->to_host(),
                                .companion = port.companion->has_tap(),
                                .steered = port.device->ifindex() != 0,
                                .local = port.config.local,
                                .sources = port.sources};
    }
  };
  for (const auto& [name, port] : live_.ports) {
    add(port);
  }
  for (const auto& port : replaced_ports_) {
    add(port);
  }
  return state;
}

// Zones that are not wanted any more keep what they have: sources still lead to them.
auto Transition::with_zones(forward::ForwardingState state) const -> forward::ForwardingState {
  for (const auto& [name, spec] : wanted_.zones) {
    const auto& live = live_.zones.at(name);
    auto& zone = state.zones[live.index];
    zone = {.ports = 0, .table = live.table.get()};
    for (const auto& port : spec.ports) {
      zone.ports |= forward::PortMask{1} << live_.ports.at(port).index;
      for (const auto& replaced : replaced_ports_) {
        if (replaced.config.name == port && !replaced.closing) {
          zone.ports |= forward::PortMask{1} << replaced.index;
        }
      }
    }
  }
  return state;
}

void Transition::publish_state(const forward::ForwardingState& next) {
  if (same(*live_.state, next)) {
    return;
  }
  auto old = std::exchange(live_.state, std::make_unique<const forward::ForwardingState>(next));
  for (auto* worker : live_.workers) {
    worker->set_state(live_.state.get());
  }
  // Who reads what comes next (an adjacency's port, a source's zone) must find it here.
  live_.qsbr.synchronize();
}

void Transition::publish_state_undoably(const forward::ForwardingState& next) {
  undo_.emplace_back([this, before = *live_.state] { publish_state(before); });
  publish_state(next);
}

void Transition::add_new_zones() {
  for (const auto& [name, zone] : new_zones_) {
    undo_.emplace_back([this, name = name] { new_zones_.insert(live_.zones.extract(name)); });
  }
  live_.zones.merge(new_zones_);
}

void Transition::publish_queues() {
  std::vector<std::vector<forward::RxQueue>> next(live_.workers.size());
  const auto add = [&](const LivePort& port) {
    if (port.usable()) {
      for (std::size_t queue = 0; queue < port.workers.size(); ++queue) {
        next[port.workers[queue]].push_back({.port = port.index,
                                             .dpdk_port = port.device->dpdk_port(),
                                             .queue = static_cast<std::uint16_t>(queue),
                                             .station = port.device->mac()});
      }
    }
  };
  for (const auto& [name, port] : live_.ports) {
    add(port);
  }
  for (const auto& port : replaced_ports_) {
    add(port);
  }

  std::vector<std::unique_ptr<const std::vector<forward::RxQueue>>> old;
  for (std::size_t i = 0; i < next.size(); ++i) {
    std::ranges::sort(next[i], {}, [](const auto& queue) { return std::pair{queue.port, queue.queue}; });
    if (*live_.queues[i] == next[i]) {
      continue;
    }
    old.push_back(std::exchange(live_.queues[i],
                                std::make_unique<const std::vector<forward::RxQueue>>(std::move(next[i]))));
    live_.workers[i]->set_queues(live_.queues[i].get());
  }
  if (!old.empty()) {
    live_.qsbr.synchronize();
  }
}

}  // namespace sekisho::writer
