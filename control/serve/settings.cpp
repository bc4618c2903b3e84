// SPDX-License-Identifier: BSD-3-Clause
#include "control/serve/settings.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>
#include <ranges>
#include <string>
#include <utility>
#include <vector>

#include "common/base/prefix.hpp"

namespace sekisho::serve {
namespace {

std::string milliseconds(std::chrono::milliseconds time) {
  return fmt::format("{} ms", time.count());
}

std::string joined(const std::vector<std::string>& words, const char* between = "; ") {
  return fmt::format("{}", fmt::join(words, between));
}

std::string peer_text(const config::BgpPeer& peer) {
  auto text = fmt::format("peer {} AS {} {}", base::address_to_string(peer.address), peer.asn,
                          config::to_string(peer.preset));
  if (peer.prepend != 0) {
    text += fmt::format(" prepend {}", peer.prepend);
  }
  if (peer.next_hop) {
    text += " next hop " + base::address_to_string(*peer.next_hop);
  }
  return text;
}

Json bgp(const policy::Policy& policy) {
  const auto& bgp = policy.config.bgp;
  if (!bgp || bgp->asn == 0) {
    return nullptr;
  }
  std::vector<std::string> words{fmt::format("AS {}", bgp->asn)};
  for (const auto& peer : bgp->peers) {
    words.push_back(peer_text(peer));
  }
  if (bgp->router_id) {
    words.push_back("router id " + base::address_to_string(*bgp->router_id));
  }
  if (!bgp->frr.empty()) {
    words.push_back("FRR " + bgp->frr);
  }
  const auto& when = bgp->advertising;
  words.push_back(fmt::format("withdraws after {}, advertises after {}, dead after {}",
                              milliseconds(when.withdraw_after), milliseconds(when.advertise_after),
                              milliseconds(when.dead_after)));
  if (bgp->graceful_restart.count() != 0) {
    words.push_back(fmt::format("graceful restart {} s", bgp->graceful_restart.count()));
  }
  return joined(words);
}

Json learning(const policy::Policy& policy) {
  const auto& bgp = policy.config.bgp;
  if (!bgp) {
    return nullptr;
  }
  const auto& learning = bgp->learning;
  std::vector<std::string> protocols;
  for (const auto protocol : learning.protocols) {
    protocols.push_back(config::route_protocol_name(protocol));
  }
  return fmt::format("kernel table {}, protocols {}, at most {} prefixes, held for {}", learning.table,
                     joined(protocols, ", "), learning.max_prefixes, milliseconds(learning.hold));
}

Json probes(const policy::Policy& policy) {
  std::vector<std::string> words;
  for (const auto& next_hop : policy.config.next_hops) {
    if (const auto& probe = next_hop.probe) {
      words.push_back(fmt::format("{} {} every {} within {}, {} down, {} up, hold {}", next_hop.name,
                                  config::to_string(*probe), milliseconds(probe->interval),
                                  milliseconds(probe->timeout), probe->down_after, probe->up_after,
                                  milliseconds(probe->hold)));
    }
  }
  return words.empty() ? Json(nullptr) : Json(joined(words));
}

const char* answer(config::IcmpAnswer answer) {
  switch (answer) {
    case config::IcmpAnswer::none:
      return "none";
    case config::IcmpAnswer::net_unreachable:
      return "net-unreachable";
    case config::IcmpAnswer::host_unreachable:
      return "host-unreachable";
    case config::IcmpAnswer::prohibited:
      return "prohibited";
  }
  return "?";
}

Json icmp(const policy::Policy& policy) {
  const auto& icmp = policy.config.icmp;
  if (!icmp.errors) {
    return "no errors";
  }
  return fmt::format(
      "null route {}, no route {}, next hop down {}, no neighbour {}, refused source {}; {} a second, {} to "
      "a "
      "/{}",
      answer(icmp.null_route), answer(icmp.no_route), answer(icmp.next_hop_down), answer(icmp.no_neighbour),
      answer(icmp.refused_source), icmp.rate, icmp.rate_per_source, icmp.source_prefix);
}

const char* handling(config::OptionHandling handling) {
  return handling == config::OptionHandling::fill     ? "fill"
         : handling == config::OptionHandling::ignore ? "ignore"
                                                      : "drop";
}

Json ip_options(const policy::Policy& policy) {
  const auto& options = policy.config.ip_options;
  return fmt::format("source routes {}, record route {}, timestamp {}",
                     options.source_routes_pass ? "pass" : "drop", handling(options.record_route),
                     handling(options.timestamp));
}

Json guard(const policy::Policy& policy) {
  const auto& guard = policy.config.guard;
  return guard.whole_host ? Json("the whole host")
                          : Json(fmt::format("all but {}", fmt::join(guard.allow, ", ")));
}

std::string destination_text(const config::Destination& destination) {
  switch (destination.kind) {
    case config::Destination::Kind::internet:
      return "Internet";
    case config::Destination::Kind::prefix:
      return base::to_string(destination.prefix);
    case config::Destination::Kind::tag:
      return "tag " + destination.name;
    case config::Destination::Kind::preset:
      return "preset " + destination.name;
  }
  return "?";
}

std::string destinations_text(const std::vector<config::Destination>& destinations) {
  std::vector<std::string> words;
  std::ranges::transform(destinations, std::back_inserter(words), destination_text);
  return joined(words, ", ");
}

Json assertions(const policy::Policy& policy) {
  std::vector<std::string> words;
  for (const auto& each : policy.config.assertions) {
    words.push_back(fmt::format(
        "{} {} to {}{} via {}", each.name.empty() ? "(no name)" : each.name,
        each.zone.empty() ? "from " + base::to_string(each.from) : "from zone " + each.zone,
        destinations_text(each.to), each.except.empty() ? "" : " except " + destinations_text(each.except),
        fmt::join(each.via, " or ")));
  }
  return words.empty() ? Json(nullptr) : Json(joined(words));
}

// What of BGP a zone asks for: no route and no source of the configuration shows it.
Json zones_learn(const policy::Policy& policy) {
  std::vector<std::string> words;
  for (const auto& zone : policy.config.zones) {
    std::vector<std::string> what;
    for (const auto& [learns, name] : {std::pair{zone.learned_sources, "sources"},
                                       {zone.learned_routes, "routes"},
                                       {zone.follow_default, "the default"}}) {
      if (learns) {
        what.emplace_back(name);
      }
    }
    if (!what.empty()) {
      words.push_back(fmt::format("zone {}: {}", zone.name, joined(what, ", ")));
    }
  }
  return words.empty() ? Json(nullptr) : Json(joined(words));
}

Json internet(const policy::Policy& policy) {
  const auto& internet = policy.config.internet;
  return !internet ? Json(nullptr) : Json(internet->asserted ? "asserted" : "not asserted");
}

Json settings_json(const policy::Policy& policy) {
  return {
      {"bgp", bgp(policy)},           {"learning", learning(policy)},       {"probes", probes(policy)},
      {"icmp", icmp(policy)},         {"ip_options", ip_options(policy)},   {"guard", guard(policy)},
      {"assert", assertions(policy)}, {"zones_learn", zones_learn(policy)}, {"internet", internet(policy)}};
}

// An Internet table may be advertised: how many, and the first of those that the other has not.
Json advertised_text(const policy::Policy& policy, const policy::Policy& other) {
  if (policy.advertised.empty()) {
    return nullptr;
  }
  constexpr std::size_t most = 8;
  std::vector<base::Prefix> own;
  std::ranges::set_difference(policy.advertised, other.advertised, std::back_inserter(own));
  std::vector<std::string> words;
  for (const auto prefix : own | std::views::take(most)) {
    words.push_back(base::to_string(prefix));
  }
  return fmt::format("{} prefix{}{}{}{}", policy.advertised.size(), policy.advertised.size() == 1 ? "" : "es",
                     words.empty() ? "" : ", only here: ", joined(words, ", "),
                     own.size() > most ? fmt::format(" and {} more", own.size() - most) : "");
}

}  // namespace

Json settings_moved(const policy::Policy& before, const policy::Policy& after) {
  auto result = Json::object();
  const auto old = settings_json(before);
  const auto young = settings_json(after);
  for (const auto& [what, value] : old.items()) {
    if (value != young.at(what)) {
      result[what] = {{"before", value}, {"after", young.at(what)}};
    }
  }
  if (before.advertised != after.advertised) {
    result["advertised"] = {{"before", advertised_text(before, after)},
                            {"after", advertised_text(after, before)}};
  }
  return result;
}

}  // namespace sekisho::serve
