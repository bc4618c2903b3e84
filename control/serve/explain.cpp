// SPDX-License-Identifier: BSD-3-Clause
#include "control/serve/explain.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "common/base/prefix.hpp"
#include "common/base/special_address.hpp"
#include "control/serve/members.hpp"
#include "control/serve/reasons.hpp"
#include "control/serve/route_json.hpp"
#include "control/serve/way.hpp"
#include "control/serve/why.hpp"
#include "control/serve/zone_of.hpp"
#include "control/sync/transaction.hpp"

namespace sekisho::serve {
namespace {

using decide::DropReason;

std::string_view name_of(DropReason reason) {
  return decide::drop_reason_texts[static_cast<std::size_t>(reason)].name;
}

void drop(Json& result, DropReason reason) {
  result["verdict"] = "drop";
  result["drop_reason"] = name_of(reason);
  result["sentence"] = sentence_of(name_of(reason));
}

void be_host(Json& result, const config::Port* owner) {
  result["verdict"] = "host";
  result["sentence"] = owner == nullptr
                           ? "the destination is everybody's on the port's subnet, hence this appliance's"
                           : "the destination is this appliance's own address on port " + owner->name;
}

void be_exit(Json& result, const policy::Policy& policy, const World& world) {
  result["verdict"] = "exit";
  if (world.view == nullptr || !world.view->exit) {
    result["sentence"] = fmt::format("leaves by {}, masqueraded, out of port {}", config::exit_netdev,
                                     *policy.config.internet->exit);
    return;
  }
  const auto& exit = *world.view->exit;
  result["sentence"] = fmt::format("leaves by {}, masqueraded as {} out of {}", config::exit_netdev,
                                   base::address_to_string(*exit.address), exit.netdev);
}

void be(Json& result, const decide::Decision<PolicyWorld>& decision, const policy::Policy& policy,
        const World& world, const config::Port* owner) {
  switch (decision.verdict.kind()) {
    case decide::Verdict::Kind::forward:
    case decide::Verdict::Kind::forward_in_fragments:
      result["verdict"] = "forward";
      break;
    case decide::Verdict::Kind::to_kernel:
      be_host(result, owner);
      break;
    case decide::Verdict::Kind::to_exit:
    case decide::Verdict::Kind::to_exit_in_fragments:
      be_exit(result, policy, world);
      break;
    case decide::Verdict::Kind::drop:
      drop(result, decision.verdict.reason());
      if (decision.answer) {
        const auto& text = packet::text_of(*decision.answer);
        result["answer"] = {{"error", text.name}, {"sentence", text.sentence}};
      }
      if (decision.next_hop && decision.next_hop->next_hop == policy::leave && world.view != nullptr &&
          world.view->exit) {
        result["sentence"] = "next hop Internet is down: " + world.view->exit->why;
      }
  }
}

Json candidates_json(const policy::Policy& policy, const policy::ZonePolicy& zone, const Way& way,
                     std::uint32_t destination) {
  const auto& [covering, kernel] = std::tie(way.covering, way.kernel);
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

// Every zone's table has this appliance's addresses, before whatever the policy says of them.
void add_own_route(Json& candidates, std::uint32_t destination, const config::Port& owner) {
  for (auto& candidate : candidates) {
    candidate["wins"] = false;
  }
  candidates.insert(candidates.begin(), Json{{"prefix", base::to_string({destination, 32})},
                                             {"next_hop", sync::host_next_hop},
                                             {"next_hop_type", nullptr},
                                             {"origin", route::to_string(route::Origin::system)},
                                             {"source", "own address of port " + owner.name},
                                             {"name", nullptr},
                                             {"file", nullptr},
                                             {"line", nullptr},
                                             {"wins", true},
                                             {"why", "an own address goes before all routes"}});
}

// What the way is made of, whether or not a packet may go it.
void show_way(Json& result, const policy::Policy& policy, const Way& way, std::uint32_t destination,
              const World& world) {
  if (way.next_hop.empty()) {
    return;
  }
  result["next_hop"] = way.next_hop;
  if (way.by_kernel && way.action == decide::Action::forward) {
    result["members"] =
        members_json(config::NextHop{.name = way.next_hop, .members = {destination}}, world.view);
  }
  if (way.next_hop == policy::leave && world.view != nullptr && world.view->exit) {
    result["exit"] = exit_json(*world.view->exit);
  }
  for (const auto& next_hop : policy.config.next_hops) {
    if (next_hop.name == way.next_hop) {
      result["members"] = members_json(next_hop, world.view);
    }
  }
}

const config::Port* port_of(const policy::Policy& policy, const std::string& name) {
  const auto port = std::ranges::find(policy.config.ports, name, &config::Port::name);
  return port == policy.config.ports.end() ? nullptr : &*port;
}

Json flow_json(const Flow& flow) {
  const auto port = [](std::uint16_t number) { return number == 0 ? Json(nullptr) : Json(number); };
  return {{"protocol", protocol_name(flow.protocol)},
          {"source_port", port(flow.source_port)},
          {"destination_port", port(flow.destination_port)}};
}

}  // namespace

Json explain(const policy::Policy& policy, const Flow& flow, const World& world) {
  Json result{{"source", base::address_to_string(flow.source)},
              {"destination", base::address_to_string(flow.destination)},
              {"port", flow.port.empty() ? Json(nullptr) : Json(flow.port)},
              {"flow", flow_json(flow)},
              {"zone", nullptr},
              {"source_prefix", nullptr},
              {"zone_ports", Json::array()},
              {"port_allowed", nullptr},
              {"candidates", Json::array()},
              {"next_hop", nullptr},
              {"members", Json::array()},
              {"member", nullptr},
              {"exit", nullptr},
              {"verdict", nullptr},
              {"drop_reason", nullptr},
              {"sentence", nullptr},
              {"answer", nullptr},
              {"dataplane", nullptr}};
  const decide::Packet packet{.flow = {.source = flow.source,
                                       .destination = flow.destination,
                                       .protocol = flow.protocol,
                                       .source_port = flow.source_port,
                                       .destination_port = flow.destination_port}};
  const auto* const came_in = port_of(policy, flow.port);
  const PolicyWorld asked{policy, world, came_in};
  const auto* const owner = asked.owner_of(flow.destination);
  // What comes in by the port whose address it is goes to the kernel before any table is asked. Without a port it may have come
  // by that one, and if that refuses it, by another that its zone has.
  if (owner != nullptr && (came_in == nullptr || came_in == owner)) {
    const PolicyWorld by_owner{policy, world, owner};
    const auto decision = decide::decide(by_owner, packet);
    const bool taken = decision.verdict == decide::Verdict::to_kernel();
    if (owner->is_af_xdp() ? taken || came_in == owner : taken && came_in == nullptr) {
      result["before_tables"] = true;
      be(result, decision, policy, world, owner);
      if (!taken) {
        result["sentence"] = fmt::format(
            "{}; to this appliance itself by port {} send its zones' sources, its "
            "subnets and host_sources",
            result["sentence"].get<std::string>(), owner->name);
      }
      return result;
    }
  }
  const auto decision = decide::decide(asked, packet);
  const auto source = asked.source(flow.source);
  result["before_tables"] =
      source.own || base::check_addresses(flow.source, flow.destination) != base::AddressFault::none;
  be(result, decision, policy, world, owner);
  if (result["before_tables"] == true || !source.zone) {
    return result;
  }
  const auto& zone = **source.zone;
  result["zone"] = zone.name;
  result["source_prefix"] = base::to_string(zone_of(policy, flow.source)->prefix);
  result["zone_ports"] = zone.ports;
  result["port_allowed"] = asked.carries(&zone);
  // The first test that fails names the reason; the route is shown nevertheless.
  const auto way = asked.next_hop(&zone, flow.destination);
  result["candidates"] = candidates_json(policy, zone, way, flow.destination);
  if (owner != nullptr) {
    add_own_route(result["candidates"], flow.destination, *owner);
  }
  show_way(result, policy, way, flow.destination, world);
  if (const auto member = asked.member(way, packet.flow).address) {
    result["member"] = base::address_to_string(*member);
  }
  return result;
}

auto protocol_named(std::string_view text) -> std::optional<packet::Protocol> {
  for (const auto protocol : {packet::Protocol::icmp, packet::Protocol::tcp, packet::Protocol::udp}) {
    if (text == protocol_name(protocol)) {
      return protocol;
    }
  }
  std::uint8_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc{} && end == text.data() + text.size() ? std::optional{packet::Protocol{number}}
                                                                  : std::nullopt;
}

std::string protocol_name(packet::Protocol protocol) {
  switch (protocol) {
    case packet::Protocol::icmp:
      return "icmp";
    case packet::Protocol::tcp:
      return "tcp";
    case packet::Protocol::udp:
      return "udp";
  }
  return std::to_string(static_cast<unsigned>(protocol));
}

bool has_ports(packet::Protocol protocol) noexcept {
  return protocol == packet::Protocol::tcp || protocol == packet::Protocol::udp;
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
  explanation["answer"] = nullptr;  // nobody was asked for it
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
  // dataplane/forward/waiting.hpp: of a host on a port's subnet, not of a next hop's member.
  if (explanation["verdict"] == "drop" && explanation["drop_reason"] == "neighbour_unresolved" &&
      explanation["next_hop"] == sync::connected_next_hop) {
    explanation["verdict"] = "wait";
    explanation["sentence"] =
        "it waits for its neighbour's MAC address, for 2.5 s at most, and is dropped if nobody answers, or "
        "if too many wait";
  }
}

void be_without_dataplane(Json& explanation, const policy::Policy& policy, const Flow& flow,
                          const World& world) {
  keep_configured(explanation);
  const auto* const owner = PolicyWorld{policy, world, nullptr}.owner_of(flow.destination);
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
  // The dataplane was asked about a ping.
  if (decision.has_adjacency() && explanation["flow"]["protocol"] == "icmp") {
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
    if (explanation["member"] != nullptr && live["adjacency"] != nullptr &&
        explanation["next_hop"] == live["next_hop"]) {
      differ("member", explanation["member"], live["adjacency"]["address"]);
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
