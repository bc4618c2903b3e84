// SPDX-License-Identifier: BSD-3-Clause
#include "control/policy/exceptions.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace sekisho::policy {

// Exceptions are few and small; a default among them would take everything past the firewall.
auto refuse_exception(base::Prefix prefix, std::string_view next_hop) -> std::optional<std::string> {
  constexpr std::uint8_t shortest = 8;
  if (prefix.length >= shortest || next_hop != leave)
    return std::nullopt;
  return fmt::format(
      "{} is too much for an exception: next hop \"Internet\" takes it past the firewall, and "
      "nothing shorter than /{}",
      base::to_string(prefix), shortest);
}

auto collect_exceptions(const Policy& policy) -> std::vector<base::Prefix> {
  std::vector<base::Prefix> all;
  for (const auto& zone : policy.zones)
    for (const auto& route : zone.table.active())
      if (policy.names[route.next_hop] == leave)
        all.push_back(route.prefix);
  std::ranges::sort(all);
  std::vector<base::Prefix> result;
  for (const auto prefix : all)
    if (result.empty() || !result.back().covers(prefix))
      result.push_back(prefix);
  return result;
}

}  // namespace sekisho::policy
