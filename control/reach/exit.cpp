// SPDX-License-Identifier: BSD-3-Clause
#include "control/reach/exit.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "common/base/prefix.hpp"
#include "control/reach/host_stack.hpp"

namespace sekisho::reach {
namespace {

// The address that the kernel masquerades as (inet_select_addr): one of the gateway's subnet, else the first.
auto masquerade_address(const netlink::Link& link, std::uint32_t gateway, const netlink::Mirror& mirror)
    -> std::optional<std::uint32_t> {
  const auto addresses = mirror.addresses.find(link.index);
  if (addresses == mirror.addresses.end() || addresses->second.empty()) {
    return std::nullopt;
  }
  const auto& all = addresses->second;
  const auto near = std::ranges::find_if(all, [&](const config::InterfaceAddress& own) {
    const base::Prefix mask{0, own.length};
    return ((own.address ^ gateway) & mask.mask()) == 0;
  });
  return (near == all.end() ? all.front() : *near).address;
}

void be_down(Exit& exit, std::string why) {
  exit.why = std::move(why);
}

void wait_for(Exit& exit, std::string why) {
  exit.asking = true;
  exit.why = std::move(why);
}

bool judge_gateway(Exit& exit, const netlink::Link& link, const netlink::Mirror& mirror) {
  const auto text = base::address_to_string(*exit.gateway);
  const auto neighbour = mirror.neighbours.find({link.index, *exit.gateway});
  if (mirror.last_macs.contains({link.index, *exit.gateway})) {
    return true;  // its entry was removed; the kernel holds packets while it resolves it
  }
  if (neighbour == mirror.neighbours.end() || neighbour->second.state == "INCOMPLETE") {
    wait_for(exit, fmt::format("gateway {} is not resolved yet", text));
    return false;
  }
  if (!neighbour->second.usable) {
    be_down(exit, fmt::format("gateway {} is {}", text, neighbour->second.state));
    return false;
  }
  return true;
}

bool judge_way_in(Exit& exit, const netlink::Mirror& mirror) {
  const netlink::Link* way_in = mirror.link(std::string{config::exit_netdev});
  if (way_in == nullptr) {
    be_down(exit, fmt::format("there is no {} yet: the dataplane makes it", config::exit_netdev));
  } else if (way_in->alias.empty()) {
    // The dataplane names what it makes a moment after it has made it.
    wait_for(exit,
             fmt::format("{0} has no alias yet; if the dataplane runs, it was not made by Sekisho: remove "
                         "or rename it",
                         config::exit_netdev));
  } else if (way_in->alias != exit_alias) {
    be_down(exit, fmt::format("{} was not made by Sekisho: remove or rename it", config::exit_netdev));
  } else if (way_in->enabled && !way_in->up) {
    be_down(exit, fmt::format("{} is down: the dataplane does not run", config::exit_netdev));
  } else if (mirror.all_rp_filter != 0) {
    // Documentation of the kernel, ip-sysctl: "The max value from conf/{all,interface}/rp_filter is used".
    be_down(
        exit,
        fmt::format("net.ipv4.conf.all.rp_filter is {}, and no source has a route back into {}: set it to 0",
                    mirror.all_rp_filter, config::exit_netdev));
  } else {
    return true;
  }
  return false;
}

bool judge_routing(Exit& exit, const config::Config& config, const netlink::Mirror& mirror) {
  for (const auto& request : netlink::requests(exit_stack(config, mirror), mirror)) {
    if (request.way == netlink::Request::Way::remove) {
      continue;
    }
    if (const auto refused = mirror.refused.find(request.text); refused != mirror.refused.end()) {
      be_down(exit, fmt::format("the kernel refuses {}: {}", request.text, refused->second));
    } else {
      wait_for(exit, "the kernel's routing is being set");
    }
    return false;
  }
  return true;
}

}  // namespace

auto exit(const config::Config& config, const netlink::Mirror& mirror) -> std::optional<Exit> {
  const config::Port* port = exit_port(config);
  if (port == nullptr) {
    return std::nullopt;
  }
  const auto found = mirror.find_link_of(*port);
  Exit exit{.port = port->name, .netdev = found ? (*found)->name : *port->netdev()};
  if (!found) {
    be_down(exit, found.error());
    return exit;
  }
  const netlink::Link* link = *found;
  exit.gateway = gateway_of(*port, mirror);
  exit.address = masquerade_address(*link, exit.gateway.value_or(0), mirror);
  if (!link->up) {
    be_down(exit, fmt::format("link {} is down", exit.netdev));
  } else if (!exit.address) {
    be_down(exit, fmt::format("{} has no address", exit.netdev));
  } else if (!exit.gateway) {
    be_down(exit, fmt::format("port {0} has no gateway: write one in [port.{0}]", exit.port));
  } else if (judge_way_in(exit, mirror) && judge_routing(exit, config, mirror) &&
             judge_gateway(exit, *link, mirror)) {
    exit.ready = true;
    exit.why = "ready";
  }
  return exit;
}

}  // namespace sekisho::reach
