// Ports stay with the links that they run on: across renames, restarts of the dataplane, and restarts of this control, which
// asks the dataplane what runs.
#include <spdlog/spdlog.h>

#include <algorithm>
#include <map>
#include <sstream>
#include <string>
#include <utility>

#include "control/reconcile/daemon.hpp"

namespace sekisho::reconcile {
namespace {

// "3 02:00:00:00:00:01 1": 3 and 1. Zero for what is not there.
std::pair<int, unsigned> index_and_returns(const std::string& instance) {
  std::istringstream words{instance};
  std::pair<int, unsigned> result{};
  std::string mac;
  words >> result.first >> mac >> result.second;
  return result;
}

}  // namespace

// What the dataplane has committed, it runs, but for what failed.
void Daemon::bind_ports() {
  netlink::Mirror::Bindings bound;
  for (const auto& port : policy_->config.ports) {
    const std::pair key{port.name, port.device};
    const auto told = std::ranges::find(told_->ports, port.name, &sync::View::PortAddresses::port);
    const auto before = mirror().bound.find(key);
    if (told != told_->ports.end() && told->link != 0 && mirror().links.contains(told->link) &&
        !failed_ports_.contains(port.name)) {
      bound[key] = told->link;
    } else if (before != mirror().bound.end()) {
      bound.insert(*before);
    }
  }
  netlink_->bind(std::move(bound));
}

void Daemon::take_over_bindings(const ipc::State& state) {
  std::map<int, unsigned> returns;
  for (const auto& port : state.ports()) {
    if (const auto [index, returned] = index_and_returns(port.instance()); returned != 0) {
      returns[index] = returned;
    }
  }
  netlink_->count_returns(std::move(returns));
  netlink::Mirror::Bindings bound;
  for (const auto& port : state.ports()) {
    const auto index = index_and_returns(port.instance()).first;
    const auto link = mirror().links.find(index);
    if (port.running() && link != mirror().links.end() &&
        sync::instance_of(link->second, mirror()) == port.instance()) {
      bound[{port.name(), port.configured()}] = index;
    }
  }
  const auto is_moved = [&](const config::Port& port) {
    const netlink::Link* link = mirror().link_of(port);
    const auto known = bound.find({port.name, port.device});
    return known != bound.end() && (link == nullptr || link->index != known->second);
  };
  const bool moved = std::ranges::any_of(policy_->config.ports, is_moved);
  netlink_->bind(std::move(bound));
  if (!moved) {
    return;
  }
  // It was read when it was not known whose addresses are ours; until it has been read again, nothing is told.
  has_taken_over_ = false;
  reader_->read([this](const Reading& again) {
    if (again.policy) {
      policy_ = *again.policy;
      sources_ = again.sources;
      look_beside();
    } else {
      spdlog::warn("the configuration is not read again for interfaces that were renamed: {}",
                   again.policy.error().to_string());
    }
    has_taken_over_ = true;
    look();
    advance();
  });
}

}  // namespace sekisho::reconcile
