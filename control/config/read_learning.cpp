// SPDX-License-Identifier: BSD-3-Clause
// What is learned from the kernel's routes, in [bgp] and in zones.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <string>
#include <utility>

#include "common/base/text.hpp"
#include "control/config/reader.hpp"

namespace sekisho::config {
namespace {

// As iproute2's rt_protos has them. Those of the kernel itself (redirect, kernel) are nobody's who learns, and 83 is this
// appliance's own.
constexpr std::array protocols{
    std::pair{std::string_view{"boot"}, 3},   std::pair{std::string_view{"static"}, 4},
    std::pair{std::string_view{"gated"}, 8},  std::pair{std::string_view{"ra"}, 9},
    std::pair{std::string_view{"mrt"}, 10},   std::pair{std::string_view{"zebra"}, 11},
    std::pair{std::string_view{"bird"}, 12},  std::pair{std::string_view{"dnrouted"}, 13},
    std::pair{std::string_view{"xorp"}, 14},  std::pair{std::string_view{"ntk"}, 15},
    std::pair{std::string_view{"dhcp"}, 16},  std::pair{std::string_view{"keepalived"}, 18},
    std::pair{std::string_view{"babel"}, 42}, std::pair{std::string_view{"openr"}, 99},
    std::pair{std::string_view{"bgp"}, 186},  std::pair{std::string_view{"isis"}, 187},
    std::pair{std::string_view{"ospf"}, 188}, std::pair{std::string_view{"rip"}, 189},
    std::pair{std::string_view{"eigrp"}, 192}};
constexpr unsigned own_protocol = 83;
constexpr unsigned first_protocol = 3;
constexpr unsigned last_protocol = 255;

// The kernel's own tables.
constexpr std::int64_t first_kernel_table = 253;
constexpr std::int64_t last_kernel_table = 255;

}  // namespace

auto route_protocol(std::string_view text) -> std::optional<std::uint8_t> {
  const auto* known = std::ranges::find(protocols, text, [](const auto& entry) { return entry.first; });
  if (known != protocols.end())
    return static_cast<std::uint8_t>(known->second);
  unsigned number = 0;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || rest != text.data() + text.size() || number < first_protocol ||
      number > last_protocol || number == own_protocol)
    return std::nullopt;
  return static_cast<std::uint8_t>(number);
}

auto route_protocol_name(std::uint8_t protocol) -> std::string {
  const auto* known = std::ranges::find(protocols, protocol, [](const auto& entry) { return entry.second; });
  return known == protocols.end() ? std::to_string(protocol) : std::string{known->first};
}

void Reader::read_learning(const Section& section, Bgp& bgp) {
  auto& learning = bgp.learning;
  if (const auto table = section.integer("table")) {
    const auto [least, most] = section.range("table");
    if (table->value < least || table->value > most ||
        (table->value >= first_kernel_table && table->value <= last_kernel_table))
      refuse(table->line,
             fmt::format(
                 "\"table\" is a table of the kernel's for learned routes alone: {} to {}, and none of {} "
                 "(default), 254 (main) and {} (local), not {}",
                 least, most, first_kernel_table, last_kernel_table, table->value));
    else
      learning.table = static_cast<std::uint32_t>(table->value);
  }
  read_protocols(section, learning);
  if (const auto most = section.number("max_prefixes"))
    learning.max_prefixes = static_cast<std::size_t>(*most);
  learning.hold = section.time("learned_hold").value_or(learning.hold);
}

void Reader::read_protocols(const Section& section, Learning& learning) {
  if (!section.has("protocols"))
    return;
  learning.protocols.clear();
  for (const auto& text : section.required_texts("protocols")) {
    const auto protocol = route_protocol(text.value);
    if (!protocol)
      refuse(text.line,
             fmt::format("{} is no protocol of routes that are learned: write a name as `ip route` shows "
                         "it, \"bgp\", or a number from {} to {}",
                         base::in_quotes(text.value), first_protocol, last_protocol));
    else if (std::ranges::find(learning.protocols, *protocol) != learning.protocols.end())
      refuse(text.line, fmt::format("duplicate protocol {}", base::in_quotes(text.value)));
    else
      learning.protocols.push_back(*protocol);
  }
  std::ranges::sort(learning.protocols);
}

void Reader::read_zone_learning(const Section& section, Zone& zone) {
  const auto follow = section.boolean("follow_default");
  zone.follow_default = follow && follow->value;
  if (zone.follow_default && !zone.learned_routes)
    refuse(follow->line,
           fmt::format("follow_default in {} follows what is learned: write \"bgp\" in \"routes\"",
                       section.name()));
  if (zone.learned_sources && !config_.bgp)
    refuse(section.line_of_key("sources"), "\"bgp\" as a source requires [bgp], which is missing");
  if (zone.learned_routes && !config_.bgp)
    refuse(section.line_of_key("routes"), "\"bgp\" in \"routes\" requires [bgp], which is missing");
}

// Whose a learned prefix is, the port tells by which it is reached.
void Reader::check_learned_sources() {
  for (const auto& zone : config_.zones) {
    for (const auto& other : config_.zones) {
      if (!zone.learned_sources || !other.learned_sources || other.line >= zone.line)
        continue;
      const auto shared = std::ranges::find_if(zone.ports, [&](const std::string& port) {
        return std::ranges::find(other.ports, port) != other.ports.end();
      });
      if (shared != zone.ports.end())
        refuse(zone.line,
               fmt::format("zones {} and {} have \"bgp\" among their sources and share port {}: whose a "
                           "learned prefix is would not be known",
                           other.name, zone.name, *shared));
    }
  }
}

}  // namespace sekisho::config
