// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <string>
#include <vector>

#include "common/base/prefix.hpp"
#include "control/reach/host_stack.hpp"
#include "control/serve/port_findings.hpp"
#include "control/serve/show.hpp"

namespace sekisho::serve {
namespace {

template <typename List>
auto by_name(const List& list, const std::string& name) -> decltype(&*list.begin()) {
  for (const auto& entry : list) {
    if (entry.name() == name) {
      return &entry;
    }
  }
  return nullptr;
}

Json addresses_json(const config::Port& port, const netlink::Link* link, const netlink::Mirror& mirror) {
  auto result = Json::array();
  const auto add = [&](const std::vector<config::InterfaceAddress>& addresses) {
    for (const auto& address : addresses) {
      result.push_back(base::address_to_string(address.address) + "/" + std::to_string(address.length));
    }
  };
  if (link == nullptr) {
    add(port.addresses);
  }
  if (link != nullptr) {
    if (const auto found = mirror.addresses.find(link->index); found != mirror.addresses.end()) {
      add(found->second);
    }
  }
  return result;
}

void add_live(Json& entry, const config::Port& port, const Live& live) {
  if (!live.state) {
    // One that is there and does not answer may well run it.
    entry["running"] = live.connected ? Json(nullptr) : Json(false);
    entry["error"] = live.error.empty() ? "the dataplane is not connected" : live.error;
    return;
  }
  const auto* state = by_name(live.state->ports(), port.name);
  if (state == nullptr) {
    entry["running"] = false;
    entry["error"] = "the dataplane does not know this port";
    return;
  }
  entry["running"] = state->running();
  entry["error"] = state->running() || state->error().empty() ? Json(nullptr) : Json(state->error());
  entry["driver"] = state->driver();
  entry["mac"] = mac_json(state->mac());
  entry["mtu"] = state->mtu();
  entry["rx_queues"] = state->rx_queues();
  entry["tx_queues"] = state->tx_queues();
  entry["lcores"] = Json(std::vector<std::uint32_t>(state->lcores().begin(), state->lcores().end()));
  if (const auto* counters = live.statistics ? by_name(live.statistics->ports(), port.name) : nullptr) {
    entry["rx"] = counter_json(counters->rx());
    entry["tx"] = counter_json(counters->tx());
  }
}

}  // namespace

Json show_ports(const policy::Policy& policy, const netlink::Mirror& mirror, const Live& live) {
  auto result = Json::array();
  for (const auto& port : policy.config.ports) {
    Json entry{{"name", port.name}, {"device", port.device}};
    const auto* link = mirror.link_of(port);
    entry["interface"] = link == nullptr ? Json(nullptr) : Json(link->name);
    entry["findings"] =
        port_findings(port, mirror, live.state ? by_name(live.state->ports(), port.name) : nullptr);
    entry["companion"] = port.companion.empty() ? Json(nullptr) : Json(port.companion);
    entry["mss_clamp"] = !port.mss_clamp        ? Json(nullptr)
                         : *port.mss_clamp == 0 ? Json("auto")
                                                : Json(*port.mss_clamp);
    const auto gateway = reach::gateway_of(port, mirror);
    entry["gateway"] = gateway ? Json(base::address_to_string(*gateway)) : Json(nullptr);
    // A port without an interface of the kernel has no link that it could tell of.
    entry["link"] = !port.has_netdev() ? Json(nullptr)
                                       : Json(link == nullptr ? "missing"
                                              : link->up      ? "up"
                                                              : "down");
    add_live(entry, port, live);
    entry["addresses"] = addresses_json(port, link, mirror);
    auto zones = Json::array();
    for (const auto& zone : policy.zones) {
      if (std::find(zone.ports.begin(), zone.ports.end(), port.name) != zone.ports.end()) {
        zones.push_back(zone.name);
      }
    }
    entry["zones"] = std::move(zones);
    result.push_back(std::move(entry));
  }
  return result;
}

}  // namespace sekisho::serve
