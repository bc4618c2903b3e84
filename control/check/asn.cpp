// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>

#include "control/check/place.hpp"
#include "control/check/rules.hpp"
#include "control/check/table.hpp"
#include "control/config/azure.hpp"

namespace sekisho::check {
namespace {

struct Range {
  std::uint32_t first;
  std::uint32_t last;
};

// Azure, "Azure Route Server frequently asked questions": what an NVA cannot use.
constexpr std::array azures_own{Range{8074, 8075}, Range{12076, 12076}, Range{65515, 65515},
                                Range{65517, 65520}};
// Of IANA's special-purpose numbers: AS_TRANS (RFC 6793), documentation (RFC 5398), the last of 16 bits (RFC 7300).
constexpr std::array iana_reserved{Range{23456, 23456}, Range{64496, 64511}, Range{65535, 65551}};
constexpr std::uint32_t last_of_16_bits = 65535;

bool is_in(std::uint32_t asn, std::span<const Range> ranges) {
  return std::ranges::any_of(ranges,
                             [&](const Range& range) { return range.first <= asn && asn <= range.last; });
}

auto offence(const Facts& facts, const config::Bgp& bgp) -> Offences {
  return {{place(facts, bgp.line), fmt::format("the appliance is to be AS {}", bgp.asn)}};
}

bool speaks_to_azure(const config::Bgp& bgp) {
  return std::ranges::find(bgp.peers, config::route_server_asn, &config::BgpPeer::asn) != bgp.peers.end();
}

auto find_asn_banned(const Facts& facts) -> Offences {
  const auto& bgp = facts.policy->config.bgp;
  return bgp && speaks_to_azure(*bgp) && is_in(bgp->asn, azures_own) ? offence(facts, *bgp) : Offences{};
}

auto find_asn_reserved(const Facts& facts) -> Offences {
  const auto& bgp = facts.policy->config.bgp;
  return bgp && is_in(bgp->asn, iana_reserved) ? offence(facts, *bgp) : Offences{};
}

auto find_asn_of_32_bits(const Facts& facts) -> Offences {
  const auto& bgp = facts.policy->config.bgp;
  return bgp && speaks_to_azure(*bgp) && bgp->asn > last_of_16_bits && !is_in(bgp->asn, iana_reserved)
             ? offence(facts, *bgp)
             : Offences{};
}

}  // namespace

const Rule asn_banned{
    "asn-banned", Severity::error,
    "Azure uses 8074, 8075, 12076, 65515 and 65517 to 65520 itself; Route Server rejects a path with 65515 "
    "in it.",
    "Write a private AS number that nobody else in the network has: 64512 to 65514.", find_asn_banned};

const Rule asn_reserved{"asn-reserved", Severity::error,
                        "IANA reserves 23456, 64496 to 64511 and 65535 to 65551, and Azure refuses them.",
                        "Write a private AS number that nobody else in the network has: 64512 to 65514.",
                        find_asn_reserved};

const Rule asn_of_32_bits{
    "asn-32-bit", Severity::error, "Route Server takes AS numbers of 16 bits from an appliance.",
    "Write a private AS number that nobody else in the network has: 64512 to 65514.", find_asn_of_32_bits};

}  // namespace sekisho::check
