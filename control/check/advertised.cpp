// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <algorithm>

#include "common/base/prefix.hpp"
#include "control/check/place.hpp"
#include "control/check/rules.hpp"
#include "control/check/table.hpp"

namespace sekisho::check {
namespace {

// Azure's documents say 1,000 in one place and 4,000 in another.
constexpr std::size_t most_advertised = 1000;

auto place_of_bgp(const Facts& facts) -> std::string {
  const auto& config = facts.policy->config;
  return place(facts, config.bgp ? config.bgp->line : config.internet ? config.internet->line : 0);
}

bool is_towards_vpn(const Facts& facts) {
  return facts.policy->config.azure.gateway == config::Gateway::vpn;
}

auto find_default_to_vpn(const Facts& facts) -> Offences {
  if (!is_towards_vpn(facts) || !std::ranges::binary_search(facts.advertised, default_route))
    return {};
  return {{place_of_bgp(facts), "0.0.0.0/0 is advertised, and [azure] names a VPN gateway"}};
}

auto find_vnet_to_vpn(const Facts& facts) -> Offences {
  Offences result;
  if (!is_towards_vpn(facts))
    return result;
  const auto lies_in = [](base::Prefix prefix, const std::vector<base::Prefix>& all) {
    return std::ranges::any_of(all, [&](base::Prefix vnet) { return vnet.covers(prefix); });
  };
  for (const auto prefix : facts.advertised)
    if (const auto& zones = facts.policy->config.zones;
        std::ranges::any_of(zones, [&](const config::Zone& zone) {
          return lies_in(prefix, zone.vnet) || lies_in(prefix, zone.peerings);
        }))
      result.push_back({place_of_bgp(facts), fmt::format("{} is advertised, and is a VNet's or part of one",
                                                         base::to_string(prefix))});
  return result;
}

auto find_too_many_advertised(const Facts& facts) -> Offences {
  if (facts.advertised.size() <= most_advertised)
    return {};
  return {{place_of_bgp(facts), fmt::format("{} prefixes are to be advertised", facts.advertised.size())}};
}

bool stands_for_internet(base::Prefix prefix) {
  return prefix == default_route || std::ranges::find(halves, prefix) != halves.end();
}

auto find_attracted(const Facts& facts) -> Offences {
  if (std::ranges::none_of(facts.advertised, stands_for_internet))
    return {};
  for (const auto& table : facts.tables) {
    const auto has = [&](base::Prefix prefix) { return exact(table, prefix).has_value(); };
    if (table.holder == Table::Holder::zone && (has(default_route) || std::ranges::any_of(halves, has)))
      return {};
  }
  return {{place_of_bgp(facts), "the Internet is advertised, and no zone has a route to it"}};
}

auto find_advertised_to_nobody(const Facts& facts) -> Offences {
  const auto& config = facts.policy->config;
  if (config.bgp || !config.internet || config.internet->advertise == config::Advertise::none)
    return {};
  return {{place(facts, config.internet->line), "[internet] has \"advertise\", and there is no [bgp]"}};
}

}  // namespace

const Rule default_to_vpn{
    "default-to-vpn", Severity::error, "A VPN gateway never hands 0.0.0.0/0 on to the networks behind it.",
    "Write advertise = \"halves\" in [internet]: 0.0.0.0/1 and 128.0.0.0/1 are handed on.",
    find_default_to_vpn};

const Rule vnet_to_vpn{
    "vnet-to-vpn", Severity::warning, "A VPN gateway hands on no prefix that is a VNet's or lies in one.",
    "Advertise a shorter prefix, or leave it out: the gateway advertises the VNet by itself.",
    find_vnet_to_vpn};

const Rule too_many_advertised{"too-many-advertised", Severity::warning,
                               "Route Server takes a limited number of routes from a peer (documents say "
                               "1,000, and 4,000) and drops the session of one "
                               "that sends more, which then returns and is dropped again.",
                               "Advertise fewer than 1,000 prefixes: summarise them.",
                               find_too_many_advertised};

const Rule attracted{
    "attracted-and-dropped", Severity::warning,
    "Whoever learns the default or its halves from the appliance sends it traffic for the Internet.",
    "Write internet = true in the zones whose traffic it is, or advertise = \"none\" in [internet].",
    find_attracted};

const Rule advertised_to_nobody{"advertised-to-nobody", Severity::error,
                                "Routes are advertised to the peers that [bgp] names, and sekisho-control "
                                "refuses to run without any.",
                                "Name the peers in [bgp], or write advertise = \"none\" in [internet].",
                                find_advertised_to_nobody};

}  // namespace sekisho::check
