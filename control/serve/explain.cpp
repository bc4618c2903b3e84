// SPDX-License-Identifier: BSD-3-Clause
#include "control/serve/explain.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "common/base/prefix.hpp"
#include "common/base/special_address.hpp"
#include "control/serve/members.hpp"
#include "control/serve/reasons.hpp"
#include "control/serve/route_json.hpp"
#include "control/serve/why.hpp"
#include "control/serve/zone_of.hpp"
#include "control/sync/host_sources.hpp"
#include "control/sync/kernel_routes.hpp"
#include "control/sync/transaction.hpp"

namespace sekisho::serve {
namespace {

void drop(Json& result, const char* reason) {
  result["verdict"] = "drop";
  result["drop_reason"] = reason;
  result["sentence"] = sentence_of(reason);
}

void be_host(Json& result, const config::Port& owner) {
  result["verdict"] = "host";
  result["sentence"] = "the destination is this appliance's own address on port " + owner.name;
}

const config::Port* owner_of(const policy::Policy& policy, std::uint32_t address, const World& world) {
  if (world.mirror == nullptr) {
    return nullptr;
  }
  for (const auto& port : policy.config.ports) {
    const auto local = reach::local_addresses(port, *world.mirror);
    if (std::find(local.begin(), local.end(), address) != local.end()) {
      return &port;
    }
  }
  return nullptr;
}

// Why the kernel gets nothing from the source by this port, which has the destination; null: it does.
const char* refusal_by_host(const policy::Policy& policy, const Flow& flow, const World& world,
                            const config::Port& owner) {
  if (world.view == nullptr) {
    return nullptr;
  }
  switch (sync::known_sources(policy, *world.view, owner).of(flow.source)) {
    case forward::SourceVerdict::allowed:
      break;
    case forward::SourceVerdict::spoofed:
      return "spoofed_source";
    case forward::SourceVerdict::martian:
      return "martian_source";
    case forward::SourceVerdict::unknown:
      return "unknown_source";
  }
  return nullptr;
}

// Refused or taken by the host before any table is asked.
bool decided_early(Json& result, const policy::Policy& policy, const Flow& flow, const World& world) {
  using base::AddressFault;
  // What comes in by the port whose address it is goes to the kernel before any table is asked.
  const auto* owner = owner_of(policy, flow.destination, world);
  if (owner != nullptr && (flow.port.empty() || flow.port == owner->name)) {
    const auto* const refused = refusal_by_host(policy, flow, world, *owner);
    if (!owner->has_netdev()) {
      drop(result, "no_host_companion");
      return true;
    }
    if (refused == nullptr) {
      be_host(result, *owner);
      return true;
    }
    if (!flow.port.empty()) {  // else it may have come by a port that its zone has
      drop(result, refused);
      result["sentence"] = fmt::format(
          "{}; to this appliance itself by port {} send its zones' sources, its "
          "subnets and host_sources",
          sentence_of(refused), owner->name);
      return true;
    }
  }
  switch (base::check_addresses(flow.source, flow.destination)) {
    case AddressFault::martian_source:
      drop(result, "martian_source");
      return true;
    case AddressFault::martian_destination:
      drop(result, "martian_destination");
      return true;
    case AddressFault::multicast:
      drop(result, "multicast");
      return true;
    case AddressFault::none:
      break;
  }
  if (owner_of(policy, flow.source, world) != nullptr) {
    drop(result, "martian_source");
    return true;
  }
  return false;
}

// The kernel's routes that cover the destination, the longest first. What is our own is decided before them.
std::vector<sync::KernelRoute> kernel_covering(const policy::ZonePolicy& zone, std::uint32_t destination,
                                               const World& world) {
  if (world.view == nullptr) {
    return {};
  }
  auto result = sync::kernel_routes(zone, *world.view);
  std::erase_if(result, [&](const sync::KernelRoute& route) {
    return route.kind == sync::KernelRoute::Kind::own || !route.prefix.covers(destination);
  });
  std::ranges::reverse(result);
  return result;
}

// One of the kernel's goes before the policy's of the same prefix: otherwise it would not be there.
bool goes_before(const sync::KernelRoute& route, const std::vector<route::Route>& covering,
                 std::size_t index) {
  return index >= covering.size() || route.prefix.length >= covering[index].prefix.length;
}

Json candidates_json(const policy::Policy& policy, const policy::ZonePolicy& zone,
                     const std::vector<route::Route>& covering, const std::vector<sync::KernelRoute>& kernel,
                     std::uint32_t destination) {
  auto result = Json::array();
  const auto add = [&](Json entry, std::string why) {
    entry["wins"] = result.empty();
    entry["why"] = std::move(why);
    result.push_back(std::move(entry));
  };
  const auto shorter = [&] { return "shorter than " + result[0]["prefix"].get<std::string>(); };
  auto next = kernel.begin();
  for (std::size_t i = 0; i <= covering.size(); ++i) {
    for (; next != kernel.end() && goes_before(*next, covering, i); ++next) {
      const auto only = covering.empty() && kernel.size() == 1;
      add(route_json(*next), !result.empty() ? shorter()
                             : only          ? "the only route that covers it"
                                             : "longest prefix");
    }
    if (i == covering.size()) {
      break;
    }
    const auto lost = i == 0 && !result.empty();
    const auto is_same = lost && covering[0].prefix == kernel.front().prefix;
    add(route_json(policy, covering[i]), is_same ? "a port's own subnet goes before it"
                                         : lost  ? shorter()
                                                 : why(policy, zone, covering, i));
  }
  for (const auto& route : zone.withdrawn) {
    if (route.prefix.covers(destination)) {
      auto entry = route_json(policy, route);
      entry["wins"] = false;
      entry["why"] = why_withdrawn;
      result.push_back(std::move(entry));
    }
  }
  return result;
}

void decide_exit(Json& result, const policy::Policy& policy, const World& world) {
  if (world.view == nullptr || !world.view->exit) {
    result["verdict"] = "exit";
    result["sentence"] = fmt::format("leaves by {}, masqueraded, out of port {}", config::exit_netdev,
                                     *policy.config.internet->exit);
    return;
  }
  const auto& exit = *world.view->exit;
  result["exit"] = exit_json(exit);
  if (exit.ready) {
    result["verdict"] = "exit";
    result["sentence"] = fmt::format("leaves by {}, masqueraded as {} out of {}", config::exit_netdev,
                                     base::address_to_string(*exit.address), exit.netdev);
  } else {
    drop(result, "next_hop_down");
    result["sentence"] = "next hop Internet is down: " + exit.why;
  }
}

// Every zone's table has this appliance's addresses, before whatever the policy says of them.
void decide_host(Json& result, const policy::Policy& policy, const Flow& flow, const World& world,
                 const config::Port& owner) {
  Json route{{"prefix", base::to_string({flow.destination, 32})},
             {"next_hop", sync::host_next_hop},
             {"next_hop_type", nullptr},
             {"origin", route::to_string(route::Origin::system)},
             {"source", "own address of port " + owner.name},
             {"name", nullptr},
             {"file", nullptr},
             {"line", nullptr},
             {"wins", true},
             {"why", "an own address goes before all routes"}};
  for (auto& candidate : result["candidates"]) {
    candidate["wins"] = false;
  }
  result["candidates"].insert(result["candidates"].begin(), std::move(route));
  result["next_hop"] = sync::host_next_hop;
  const auto came_in = std::find_if(policy.config.ports.begin(), policy.config.ports.end(),
                                    [&](const config::Port& port) { return port.name == flow.port; });
  const auto* way_in = world.mirror->link(std::string{config::exit_netdev});
  if (!came_in->has_netdev()) {
    drop(result, "no_host_companion");
  } else if (came_in->is_af_xdp() && (way_in == nullptr || !way_in->up)) {
    drop(result, "no_exit");  // steering passes the kernel only what is for the port's own addresses
  } else {
    be_host(result, owner);
  }
}

void decide_kernel_route(Json& result, const sync::KernelRoute& route, std::uint32_t destination,
                         const World& world) {
  result["next_hop"] = policy_name(std::string{route.next_hop});
  switch (route.kind) {
    case sync::KernelRoute::Kind::connected:
      drop(result, "neighbour_unresolved");
      break;
    case sync::KernelRoute::Kind::edge:
      drop(result, "null_route");
      break;
    default:
      result["members"] =
          members_json(config::NextHop{.name = std::string{route.next_hop}, .members = {destination}},
                       &world.view->members);
      result["verdict"] = "forward";
  }
}

void decide_next_hop(Json& result, const policy::Policy& policy, const std::string& name,
                     const World& world) {
  result["next_hop"] = name;
  if (name == policy::none) {
    drop(result, "null_route");
    return;
  }
  if (name == policy::leave) {
    decide_exit(result, policy, world);
    return;
  }
  for (const auto& next_hop : policy.config.next_hops) {
    if (next_hop.name == name) {
      result["members"] = members_json(next_hop, world.view == nullptr ? nullptr : &world.view->members);
    }
  }
  const auto& members = result["members"];
  if (world.view != nullptr && std::none_of(members.begin(), members.end(),
                                            [](const Json& member) { return member["alive"] == true; })) {
    drop(result, "next_hop_down");
    return;
  }
  result["verdict"] = "forward";
}

}  // namespace

Json explain(const policy::Policy& policy, const Flow& flow, const World& world) {
  Json result{{"source", base::address_to_string(flow.source)},
              {"destination", base::address_to_string(flow.destination)},
              {"port", flow.port.empty() ? Json(nullptr) : Json(flow.port)},
              {"zone", nullptr},
              {"source_prefix", nullptr},
              {"zone_ports", Json::array()},
              {"port_allowed", nullptr},
              {"candidates", Json::array()},
              {"next_hop", nullptr},
              {"members", Json::array()},
              {"exit", nullptr},
              {"verdict", nullptr},
              {"drop_reason", nullptr},
              {"sentence", nullptr},
              {"dataplane", nullptr}};
  const auto early = decided_early(result, policy, flow, world);
  result["before_tables"] = early;
  const auto match = zone_of(policy, flow.source);
  if (early) {
    return result;
  }
  if (!match) {
    drop(result, "unknown_source");
    return result;
  }
  const auto& ports = match->zone->ports;
  result["zone"] = match->zone->name;
  result["source_prefix"] = base::to_string(match->prefix);
  result["zone_ports"] = ports;
  // The dataplane answers without a port as for any that the zone allows; a zone without ports lets nothing
  // in.
  const auto allowed =
      flow.port.empty() ? !ports.empty() : std::find(ports.begin(), ports.end(), flow.port) != ports.end();
  result["port_allowed"] = allowed;
  const auto covering = match->zone->table.covering(flow.destination);
  const auto kernel = kernel_covering(*match->zone, flow.destination, world);
  result["candidates"] = candidates_json(policy, *match->zone, covering, kernel, flow.destination);
  const auto* owner = owner_of(policy, flow.destination, world);
  if (owner != nullptr) {
    decide_host(result, policy, flow, world, *owner);
  } else if (!kernel.empty() && goes_before(kernel.front(), covering, 0)) {
    decide_kernel_route(result, kernel.front(), flow.destination, world);
  } else if (!covering.empty()) {
    decide_next_hop(result, policy, policy.names[covering.front().next_hop], world);
  } else {
    drop(result, "no_route");
  }
  if (!allowed) {  // the first test that fails names the reason; the route is shown nevertheless
    drop(result, "spoofed_source");
  }
  return result;
}

namespace {

void keep_configured(Json& explanation) {
  explanation["configured"] = {{"verdict", explanation["verdict"]},
                               {"drop_reason", explanation["drop_reason"]},
                               {"sentence", explanation["sentence"]}};
}

// "drop null_route", "forward"
std::string said(const Json& verdict) {
  const auto& reason = verdict["drop_reason"];
  return verdict["verdict"].get<std::string>() + (reason.is_null() ? "" : " " + reason.get<std::string>());
}

void be(Json& explanation, const char* verdict, Json reason, std::string sentence) {
  explanation["verdict"] = verdict;
  explanation["drop_reason"] = std::move(reason);
  explanation["sentence"] = std::move(sentence);
  explanation["fault"] = true;
}

void be_what_the_dataplane_decides(Json& explanation) {
  const auto& live = explanation["dataplane"];
  const auto configured = said(explanation["configured"]);
  if (!live["drop_reason"].is_null()) {
    be(explanation, "drop", live["drop_reason"],
       fmt::format("the dataplane drops it, although the configuration says {}", configured));
    return;
  }
  const auto by =
      live["next_hop"].is_null() ? std::string() : " by next hop " + live["next_hop"].get<std::string>();
  be(explanation, "forward", nullptr,
     fmt::format("the dataplane forwards it{}, although the configuration says {}{}", by, configured,
                 explanation["next_hop"].is_null()
                     ? ""
                     : " by next hop " + explanation["next_hop"].get<std::string>()));
}

}  // namespace

void be_what_happens(Json& explanation, const Flow& flow,
                     const std::map<std::string, std::string>& failed_ports) {
  keep_configured(explanation);
  explanation["fault"] = explanation["drop_reason"] == "next_hop_down";
  if (explanation["dataplane"]["agrees"] == false) {
    be_what_the_dataplane_decides(explanation);
  }
  // What comes in by no other port than one that does not run does not come in.
  auto ways = flow.port.empty() ? explanation["zone_ports"] : Json::array({flow.port});
  const auto closed = [&](const Json& port) { return failed_ports.contains(port.get<std::string>()); };
  if (!ways.empty() && std::ranges::all_of(ways, closed)) {
    const auto name = ways.front().get<std::string>();
    be(explanation, "drop", nullptr, fmt::format("port {} does not run: {}", name, failed_ports.at(name)));
  }
}

void be_without_dataplane(Json& explanation, const policy::Policy& policy, const Flow& flow,
                          const World& world) {
  keep_configured(explanation);
  const auto* owner = owner_of(policy, flow.destination, world);
  explanation["fault"] = true;
  if (explanation["verdict"] == "host" && explanation["before_tables"] == true && owner != nullptr &&
      owner->is_af_xdp()) {
    return;
  }
  be(explanation, "drop", nullptr, "the dataplane is not running");
}

void be_unknown(Json& explanation, const std::string& why) {
  keep_configured(explanation);
  explanation["dataplane"] = {{"error", why}};
  be(explanation, "unknown", nullptr,
     fmt::format("the dataplane does not answer ({}); while all of it hangs, the packet is dropped", why));
}

void compare(Json& explanation, const ipc::Decision& decision) {
  Json live{
      {"zone", decision.zone().empty() ? Json(nullptr) : Json(decision.zone())},
      {"source_prefix",
       decision.has_source_prefix() ? Json(prefix_text(decision.source_prefix())) : Json(nullptr)},
      {"port_allowed", decision.port_allowed()},
      {"prefix", decision.next_hop().empty() ? Json(nullptr) : Json(prefix_text(decision.prefix()))},
      {"next_hop", decision.next_hop().empty() ? Json(nullptr) : Json(policy_name(decision.next_hop()))},
      {"drop_reason", decision.drop_reason().empty() ? Json(nullptr) : Json(decision.drop_reason())},
      {"sentence", sentence_of(decision.drop_reason())}};
  if (decision.has_adjacency()) {
    const auto& adjacency = decision.adjacency();
    live["adjacency"] = {{"port", adjacency.key().port()},
                         {"address", base::address_to_string(adjacency.key().address())},
                         {"mac", mac_json(adjacency.mac())},
                         {"alive", adjacency.alive()}};
  } else {
    live["adjacency"] = nullptr;
  }
  auto differences = Json::array();
  const auto differ = [&](const char* what, const Json& policy_says, const Json& dataplane_says) {
    if (policy_says != dataplane_says) {
      differences.push_back({{"what", what}, {"policy", policy_says}, {"dataplane", dataplane_says}});
    }
  };
  // What is decided before the tables is no question that the dataplane's tables can answer.
  if (explanation["before_tables"] == false) {
    differ("zone", explanation["zone"], live["zone"]);
    const auto& candidates = explanation["candidates"];
    // A packet that a test before the route refuses has no route, for the dataplane.
    if (live["next_hop"] != nullptr || decision.drop_reason() == "no_route") {
      differ("prefix", candidates.empty() ? Json(nullptr) : candidates[0]["prefix"], live["prefix"]);
      differ("next hop", explanation["next_hop"], live["next_hop"]);
    }
    differ("verdict", explanation["verdict"] == "drop" ? "drop" : "forward",
           decision.drop_reason().empty() ? "forward" : "drop");
    if (differences.empty() && !decision.drop_reason().empty() &&
        explanation["drop_reason"] != live["drop_reason"]) {
      // Both refuse it; the dataplane's reason is the one that its counters show.
      explanation["drop_reason"] = live["drop_reason"];
      explanation["sentence"] = live["sentence"];
    }
  }
  live["agrees"] = differences.empty();
  live["differences"] = std::move(differences);
  explanation["dataplane"] = std::move(live);
}

}  // namespace sekisho::serve
