// The dataplane comes, goes, and says what happens there.
#include <spdlog/spdlog.h>

#include <algorithm>
#include <span>
#include <utility>

#include "common/base/mac_address.hpp"
#include "control/reconcile/daemon.hpp"
#include "control/reconcile/timing.hpp"

namespace sekisho::reconcile {

void Daemon::on_connected() {
  spdlog::info("connected to the dataplane");
  told_.reset();
  is_new_connection_ = true;
  retry_pause_ = first_retry;
  failed_ports_.clear();
  failed_exit_.clear();
  transaction_ = 0;
  command_.on_connected();
}

// Asks, before the first transaction, which members the dataplane forwards to on the word of an earlier
// control.
void Daemon::take_over() {
  ipc::Request request;
  request.mutable_get_state();
  dataplane_.ask(std::move(request), [this](const auto& answer) {
    if (!answer) {
      if (dataplane_.connected()) {  // it hangs; a connection that is gone is followed by one that asks again
        retry_later();
      }
      return;
    }
    has_taken_over_ = true;
    take_over_bindings(answer->back().state());
    // Ports that still run, whatever our configuration says by now.
    guard::Guard running;
    for (const auto& port : answer->back().state().ports()) {
      constexpr std::string_view af_xdp = "af_xdp:";
      if (port.device().starts_with(af_xdp)) {
        running.names.insert(port.device().substr(af_xdp.size()));
      }
    }
    let_out_ = guard::remember(running, std::move(let_out_));
    guard();
    for (const auto& adjacency : answer->back().state().adjacencies()) {
      base::MacAddress mac{};
      if (adjacency.alive() && adjacency.mac().size() == mac.size()) {
        std::ranges::copy(adjacency.mac(), reinterpret_cast<char*>(mac.data()));
        inherited_[{adjacency.key().port(), adjacency.key().address()}] = mac;
      }
    }
    for (const auto& state : answer->back().state().next_hops()) {
      const auto& next_hop = state.next_hop();
      if (next_hop.members_size() == 1 &&
          next_hop.name() == reach::host_name(next_hop.members(0).address())) {
        hosts_.inherit(next_hop.members(0).address());
      }
    }
    look();
    advance();
  });
}

void Daemon::on_disconnected(const std::string& reason) {
  told_.reset();
  command_.on_disconnected();
  spdlog::warn("the dataplane is gone ({}); waiting for it at {}", reason,
               options_.dataplane_socket.string());
  // What was to be sent is kept for the next connection, and its caller need not wait for that.
  for (auto& waiting : std::exchange(steps_, {})) {
    store(std::move(waiting));
  }
}

void Daemon::on_event(const ipc::Event& event) {
  if (event.has_port()) {
    const auto& port = event.port();
    if (port.running()) {
      if (failed_ports_.erase(port.name()) != 0) {
        spdlog::info("port {} runs now", port.name());
      }
    } else if (!port.error().empty()) {
      auto& why = failed_ports_[port.name()];
      if (std::exchange(why, port.error()) != port.error()) {
        spdlog::warn("port {} failed: {}", port.name(), port.error());
      }
      retry_later();
    }
  } else if (event.has_link()) {
    spdlog::info("port {}: the device's link is {}", event.link().port(), event.link().up() ? "up" : "down");
  } else if (event.has_wanted()) {
    on_wanted(event.wanted());
  } else if (event.has_changed()) {
    on_changed(event.changed());
  } else if (event.has_superseded()) {
    on_superseded(event.superseded());
  }
}

// Whoever commands has its reasons; while this control does, nobody else changes anything for long.
void Daemon::on_changed(const ipc::Changed& changed) {
  if (!command_.is_held()) {
    return;
  }
  spdlog::warn("process {} changed the dataplane by transaction {}", changed.process(),
               changed.transaction());
  is_to_heal_ = in_flight_;
  told_.reset();
  advance();
}

void Daemon::on_superseded(const ipc::Superseded& superseded) {
  told_.reset();
  command_.on_superseded(superseded.process());
  for (auto& waiting : std::exchange(steps_, {})) {
    const auto why = "this sekisho-control does not command the dataplane any more: " + command_.why_not();
    if (waiting.rehearsed) {
      waiting.rehearsed(tl::unexpected(why));
    } else {
      waiting.done(tl::unexpected(why));
    }
  }
}

void Daemon::on_wanted(const ipc::Wanted& wanted) {
  const std::span destinations(wanted.destinations().data(),
                               static_cast<std::size_t>(wanted.destinations_size()));
  const auto outcome = hosts_.want(destinations, {policy_->config, netlink_->mirror(), inherited_},
                                   std::chrono::steady_clock::now());
  if (outcome.more) {
    on_kernel_changed();
  }
  if (outcome.full && !std::exchange(hosts_are_full_, true)) {
    spdlog::warn("{} hosts on the ports' subnets are followed: there is no room for another until one goes",
                 reach::Hosts::most);
  }
}

}  // namespace sekisho::reconcile
