// SPDX-License-Identifier: BSD-3-Clause
#include "control/reconcile/bindings.hpp"

#include <algorithm>
#include <sstream>
#include <utility>

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

auto bindings_of(const config::Config& config, const sync::View& told,
                 const std::map<std::string, std::string>& failed_ports, const netlink::Mirror& mirror)
    -> netlink::Mirror::Bindings {
  netlink::Mirror::Bindings bound;
  for (const auto& port : config.ports) {
    const std::pair key{port.name, port.device};
    const auto found = std::ranges::find(told.ports, port.name, &sync::View::PortAddresses::port);
    const auto before = mirror.bound.find(key);
    if (found != told.ports.end() && found->link != 0 && mirror.links.contains(found->link) &&
        !failed_ports.contains(port.name)) {
      bound[key] = found->link;
    } else if (before != mirror.bound.end()) {
      bound.insert(*before);
    }
  }
  return bound;
}

auto bindings_of(const ipc::State& state, const netlink::Mirror& mirror) -> netlink::Mirror::Bindings {
  auto counted = mirror;
  counted.returns = returns_of(state);
  netlink::Mirror::Bindings bound;
  for (const auto& port : state.ports()) {
    const auto index = index_and_returns(port.instance()).first;
    const auto link = mirror.links.find(index);
    if (port.running() && link != mirror.links.end() &&
        sync::instance_of(link->second, counted) == port.instance()) {
      bound[{port.name(), port.configured()}] = index;
    }
  }
  return bound;
}

auto returns_of(const ipc::State& state) -> std::map<int, unsigned> {
  std::map<int, unsigned> returns;
  for (const auto& port : state.ports()) {
    if (const auto [index, returned] = index_and_returns(port.instance()); returned != 0) {
      returns[index] = returned;
    }
  }
  return returns;
}

bool is_moved(const config::Config& config, const netlink::Mirror::Bindings& bound,
              const netlink::Mirror& mirror) {
  return std::ranges::any_of(config.ports, [&](const config::Port& port) {
    const netlink::Link* link = mirror.link_of(port);
    const auto known = bound.find({port.name, port.device});
    return known != bound.end() && (link == nullptr || link->index != known->second);
  });
}

}  // namespace sekisho::reconcile
