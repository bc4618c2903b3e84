// SPDX-License-Identifier: BSD-3-Clause
#include "control/cli/check_summary.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "common/base/prefix.hpp"
#include "control/cli/output.hpp"
#include "control/cli/show_tables.hpp"
#include "control/serve/show.hpp"

namespace sekisho::cli {
namespace {

// What leaves through this appliance's own kernel, past the firewall.
Json exit_summary(const policy::Policy& policy) {
  const auto& internet = policy.config.internet;
  if (!internet || !internet->exit) {
    return nullptr;
  }
  auto exceptions = Json::array();
  for (const auto prefix : policy.exceptions) {
    exceptions.push_back(base::to_string(prefix));
  }
  return {{"port", *internet->exit}, {"exceptions", std::move(exceptions)}};
}

}  // namespace

Json summary_json(const policy::Policy& policy) {
  auto ports = Json::array();
  for (const auto& port : policy.config.ports) {
    auto addresses = Json::array();
    for (const auto& address : port.addresses) {
      addresses.push_back(fmt::format("{}/{}", base::address_to_string(address.address), address.length));
    }
    ports.push_back({{"name", port.name},
                     {"device", port.device},
                     {"companion", port.companion.empty() ? Json(nullptr) : Json(port.companion)},
                     {"gateway", port.gateway ? Json(base::address_to_string(*port.gateway)) : Json(nullptr)},
                     {"addresses", std::move(addresses)}});
  }
  auto next_hops = Json::array();
  for (const auto& next_hop : policy.config.next_hops) {
    auto members = Json::array();
    for (const auto member : next_hop.members) {
      members.push_back(base::address_to_string(member));
    }
    next_hops.push_back({{"name", next_hop.name}, {"members", std::move(members)}});
  }
  auto included = Json::array();
  for (const auto& file : policy.config.included) {
    included.push_back(file.read.file.string());
  }
  return {{"configuration", policy.config.file.string()},
          {"include", policy.config.include},
          {"included", std::move(included)},
          {"ports", std::move(ports)},
          {"next_hops", std::move(next_hops)},
          {"zones", serve::show_zones(policy, {})},
          {"exit", exit_summary(policy)}};
}

void print_summary(const Json& result) {
  if (const auto& included = result["included"]; !included.empty()) {
    Table files{{{"INCLUDED"}}};
    for (const auto& file : included) {
      files.add({value_text(file)});
    }
    fmt::print("{}\n", files.render());
  } else if (const auto& include = result["include"]; !include.empty()) {
    // No fault: the package's conf.d is empty at first. It may be a mistyped name as well.
    fmt::print("includes {}, which no file matches\n\n", list_text(include));
  }
  Table ports{{{"PORT"}, {"DEVICE"}, {"COMPANION"}, {"GATEWAY"}, {"ADDRESSES"}}};
  for (const auto& port : result["ports"]) {
    ports.add({value_text(port, "name"), value_text(port, "device"), value_text(port, "companion"),
               value_text(port, "gateway"), list_text(port["addresses"])});
  }
  Table next_hops{{{"NEXT-HOP"}, {"MEMBERS"}}};
  for (const auto& next_hop : result["next_hops"]) {
    next_hops.add({value_text(next_hop, "name"), list_text(next_hop["members"])});
  }
  Table zones{{{"ZONE"}, {"PORTS"}, {"INTERNET"}, {"ROUTES", true}, {"SOURCES"}}};
  for (const auto& zone : result["zones"]) {
    zones.add({value_text(zone, "name"), list_text(zone["ports"]), value_text(zone, "internet"),
               value_text(zone, "routes"), list_text(zone["sources"])});
  }
  fmt::print("{}\n{}\n{}\n", ports.render(), next_hops.render(), zones.render());
  if (const auto& exit = result["exit"]; !exit.is_null()) {
    constexpr std::size_t most = 8;
    const auto& exceptions = exit["exceptions"];
    const Json first(exceptions.begin(),
                     exceptions.begin() + static_cast<std::ptrdiff_t>(std::min(exceptions.size(), most)));
    fmt::print("next hop Internet leaves by port {}: {} exception{}, {}{}\n\n", value_text(exit, "port"),
               exceptions.size(), exceptions.size() == 1 ? "" : "s", list_text(first),
               exceptions.size() > most ? ",..." : "");
  }
}

}  // namespace sekisho::cli
