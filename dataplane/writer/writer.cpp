// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/writer/writer.hpp"

#include <fmt/format.h>
#include <rte_ethdev.h>
#include <spdlog/spdlog.h>

#include <stdexcept>

#include "common/base/prefix.hpp"
#include "dataplane/writer/convert.hpp"
#include "dataplane/writer/host_changes.hpp"
#include "dataplane/writer/publish.hpp"
#include "dataplane/writer/transition.hpp"

namespace sekisho::writer {
namespace {

// A destination that nobody answers for is told again after this, when packets still come.
constexpr auto told_again = std::chrono::seconds{1};

// For so long after the last one packets with unfinished checksums are told of.
constexpr auto unfinished_stays = std::chrono::seconds{30};

bool same(const ipc::PortState& a, const ipc::PortState& b) {
  return a.SerializeAsString() == b.SerializeAsString();
}

}  // namespace

Writer::Writer(fib::Qsbr& qsbr, std::vector<forward::Worker*> workers, Options options)
    : live_{qsbr, std::move(workers), options.pool, options.tables, options.refuse},
      options_{std::move(options)} {
  auto sources = fib::Fib::create(qsbr, options_.tables);
  if (!sources) {
    throw std::runtime_error(fmt::format("the table of sources cannot be made: {}", sources.error()));
  }
  live_.sources = std::move(*sources);
  live_.state = std::make_unique<const forward::ForwardingState>(
      forward::ForwardingState{.sources = live_.sources.get(), .next_hops = &live_.next_hops});
  for (auto* worker : live_.workers) {
    live_.queues.push_back(std::make_unique<const std::vector<forward::RxQueue>>());
    worker->set_state(live_.state.get());
    worker->set_queues(live_.queues.back().get());
    live_.host_queues.push_back(std::make_unique<const std::vector<forward::HostQueue>>());
    worker->set_host_queues(live_.host_queues.back().get());
  }
}

Writer::~Writer() {
  end_capture();
  for (auto* worker : live_.workers) {
    worker->set_queues(nullptr);
    worker->set_host_queues(nullptr);
    worker->set_state(nullptr);
  }
  live_.qsbr.synchronize();
}

auto Writer::commit(Transaction transaction) -> tl::expected<ipc::Committed, std::string> {
  auto target = std::move(transaction).finish(*this);
  if (!target) {
    return tl::unexpected(target.error());
  }
  if (capture_ != nullptr) {
    capture_->settle();
  }
  const auto before = port_states();
  auto committed = Transition{live_, std::move(*target)}.run();
  if (!committed) {
    return committed;
  }
  committed->set_transaction(++live_.transaction);
  if (live_.configuration.exit) {
    *committed->mutable_exit() = exit_state();
  }
  for (auto& [name, port] : port_states()) {
    const auto known = before.find(name);
    if (known == before.end() || !same(known->second, port)) {
      *events_.emplace_back().mutable_port() = port;
    }
    if (!port.error().empty()) {
      *committed->add_failed_ports() = port;
    }
  }
  return committed;
}

auto Writer::start_capture(const ipc::Capture& wanted) -> tl::expected<void, std::string> {
  auto started = LiveCapture::start(live_, wanted);
  if (!started) {
    return tl::unexpected(started.error());
  }
  capture_ = std::move(*started);
  return {};
}

auto Writer::find(const std::string& zone, base::Prefix prefix) const -> std::optional<std::string_view> {
  const auto live = live_.zones.find(zone);
  if (live == live_.zones.end()) {
    return std::nullopt;
  }
  const auto index = live->second.table->find(prefix);
  if (!index) {
    return std::nullopt;
  }
  for (const auto& [name, next_hop] : live_.next_hop_names) {
    if (value_of(next_hop.index) == *index) {
      return name;
    }
  }
  return std::nullopt;
}

std::size_t Writer::count(const std::string& zone, const std::string& next_hop) const {
  return live_.zones.at(zone).routes_by_next_hop[value_of(live_.next_hop_names.at(next_hop).index)];
}

auto Writer::port_state(const std::string& name, const LivePort& port) const -> ipc::PortState {
  ipc::PortState state;
  state.set_name(name);
  state.set_device(port.config.device);
  state.set_running(port.usable() && port.unsteered.empty());
  state.set_error(port.unsteered.empty() ? port.error : port.unsteered);
  state.set_instance(port.config.instance);
  state.set_configured(port.config.configured);
  state.set_unfinished_checksums(port.unfinished_at &&
                                 std::chrono::steady_clock::now() - *port.unfinished_at < unfinished_stays);
  if (port.device == nullptr) {
    return state;
  }
  state.set_mac(to_bytes(port.device->mac()));
  state.set_mtu(port.device->mtu());
  state.set_rx_queues(port.device->rx_queues());
  state.set_tx_queues(port.device->tx_queues());
  state.set_driver(port.device->driver());
  for (const auto worker : port.workers) {
    state.add_lcores(options_.lcores.at(worker));
  }
  return state;
}

auto Writer::exit_state() const -> ipc::ExitState {
  ipc::ExitState state;
  state.set_port(*live_.configuration.exit);
  state.set_running(live_.exit.mtu != 0 && live_.exit.error.empty());
  state.set_error(live_.exit.error);
  return state;
}

auto Writer::port_states() const -> std::map<std::string, ipc::PortState> {
  std::map<std::string, ipc::PortState> states;
  for (const auto& [name, port] : live_.ports) {
    states.emplace(name, port_state(name, port));
  }
  return states;
}

void Writer::tick() {
  watch_companions();
  watch_exit();
  watch_links();
  watch_interfaces();
  watch_checksums();
  watch_neighbours();
}

void Writer::watch_checksums() {
  for (auto& [name, port] : live_.ports) {
    std::uint64_t seen = 0;
    for (const auto* worker : live_.workers) {
      seen += worker->counters().ports[port.index].unfinished_checksums.get();
    }
    // A port that was opened again counts from the beginning.
    if (seen > std::exchange(port.seen_unfinished, seen)) {
      if (!port.unfinished_at) {
        spdlog::warn(
            "port {}: packets come whose TCP or UDP checksum nobody has finished; receivers drop them", name);
      }
      port.unfinished_at = std::chrono::steady_clock::now();
    }
  }
}

// net_af_xdp says up whatever the netdev does: control hears of those from the kernel.
void Writer::watch_links() {
  for (auto& [name, port] : live_.ports) {
    if (!port.usable() || port.device->driver() == "net_af_xdp") {
      continue;
    }
    rte_eth_link link{};
    if (rte_eth_link_get_nowait(port.device->dpdk_port(), &link) != 0) {
      continue;
    }
    const bool up = link.link_status == RTE_ETH_LINK_UP;
    if (port.link == up) {
      continue;
    }
    port.link = up;
    port.companion->set_carrier(up);
    auto& event = *events_.emplace_back().mutable_link();
    event.set_port(name);
    event.set_up(up);
  }
}

// A socket keeps what is sent by it until its interface is up again: seconds later it would leave as if it were new. With control there
// the neighbours are dead by then, and nothing is sent. What the socket has taken before this looks, 2,048 frames a queue at most, leaves
// late all the same: it is the kernel's, and only the kernel knows how far it has come with it.
void Writer::watch_interfaces() {
  for (auto& [name, port] : live_.ports) {
    if (!port.usable() || port.device->has_lost_netdev()) {
      continue;
    }
    const bool mute = !port.device->can_send();
    if (std::exchange(port.mute, mute) == mute) {
      continue;
    }
    auto next = *live_.state;
    next.ports[port.index].tx_queues = mute ? std::uint16_t{0} : port.device->tx_queues();
    publish_state(live_, next);
    if (mute) {
      spdlog::warn("port {}: its interface is down; nothing is sent by it until it is up", name);
    }
  }
}

// Made again as it was; its addresses are control's to give.
void Writer::watch_companions() {
  for (auto& [name, port] : live_.ports) {
    if (!port.usable()) {
      continue;
    }
    if (!port.companion->has_lost_tap()) {
      port.companion->keep_mtu(port.device->mtu());
      continue;
    }
    const auto before = std::exchange(port.error, std::string{});
    if (auto tap = open_tap(port)) {
      tap->set_carrier(port.link.value_or(true));
      port.companion->replace_tap(std::move(*tap));
    } else {
      port.error = tap.error();
    }
    if (port.error != before) {
      *events_.emplace_back().mutable_port() = port_state(name, port);
    }
  }
}

// The same; meanwhile the kernel refuses what goes there. One that has no port yet waits for the transaction that starts it.
void Writer::watch_exit() {
  auto& exit = live_.exit;
  if (exit.mtu == 0) {
    return;
  }
  if (!exit.device->has_lost_tun()) {
    exit.device->keep_mtu(exit.mtu);
    return;
  }
  const auto& port = live_.ports.at(*live_.configuration.exit);
  const auto made = exit.device->adopt(port.device->mac(), exit.mtu);
  exit.error = made ? std::string{} : made.error();
}

void Writer::keep_steered() {
  for (auto& [name, port] : live_.ports) {
    if (!port.usable()) {
      continue;
    }
    const auto restored =
        port.device->has_lost_netdev()
            ? tl::unexpected(fmt::format("{}: the interface was deleted, or moved to another network "
                                         "namespace; it is opened again as soon as it is there",
                                         port.config.device))
            : port.device->keep_steered();
    const auto why = restored ? std::string{} : restored.error();
    if (restored.value_or(false)) {
      ++port.steering_restored;
      spdlog::warn("port {}: somebody removed the steering program of {}; it is attached again", name,
                   port.config.device);
    }
    if (std::exchange(port.unsteered, why) != why || restored.value_or(false)) {
      *events_.emplace_back().mutable_port() = port_state(name, port);
    }
  }
}

void Writer::tell_wanted(std::chrono::steady_clock::time_point now) {
  std::erase_if(told_, [&](const auto& told) { return now - told.second >= told_again; });
  ipc::Wanted wanted;
  for (auto* worker : live_.workers) {
    worker->wanted().take([&](std::uint32_t destination) {
      if (told_.try_emplace(destination, now).second) {
        wanted.add_destinations(destination);
      }
    });
  }
  if (!wanted.destinations().empty()) {
    *events_.emplace_back().mutable_wanted() = std::move(wanted);
  }
}

// What waits, or is dropped, for want of a neighbour's own route is not among it: tell_wanted().
void Writer::watch_neighbours() {
  using decide::DropReason;
  std::uint64_t refused = 0;
  for (const auto* worker : live_.workers) {
    for (const auto& port : worker->counters().ports) {
      refused += port.drops[static_cast<std::size_t>(DropReason::next_hop_down)].get();
    }
  }
  // A port that went took its drops along, so that the sum may also have become less.
  const bool grew = refused > std::exchange(seen_refused_, refused);

  std::set<AdjacencyId> wanted;
  for (const auto& [name, next_hop] : live_.next_hop_names) {
    auto traffic = next_hop.earlier.packets;
    for (const auto* worker : live_.workers) {
      traffic += worker->counters().next_hops[value_of(next_hop.index)].packets.get();
    }
    if (std::exchange(seen_traffic_[name], traffic) == traffic || !grew) {
      continue;
    }
    for (const auto& member : live_.configuration.next_hops.at(name).members) {
      if (!member.id.port.empty() && !live_.configuration.adjacencies.at(member.id).alive) {
        wanted.insert(member.id);
      }
    }
  }
  std::erase_if(seen_traffic_, [&](const auto& seen) { return !live_.next_hop_names.contains(seen.first); });
  for (const auto& id : wanted) {
    assign(*events_.emplace_back().mutable_unresolved(), id);
  }
}

}  // namespace sekisho::writer
