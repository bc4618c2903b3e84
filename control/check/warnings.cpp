// SPDX-License-Identifier: BSD-3-Clause
#include "control/check/warnings.hpp"

#include <fmt/format.h>

#include <array>

#include "control/check/gather.hpp"
#include "control/check/rules.hpp"

namespace sekisho::check {

auto warnings(const policy::Policy& policy) -> std::vector<std::string> {
  constexpr std::size_t most = 20;
  constexpr std::array rules{&port_in_no_zone,    &file_warning,    &route_left_out, &next_hop_maybe_own,
                             &zone_without_route, &duplicate_route, &never_matches,  &web_open};
  const auto facts = gather(policy);
  std::vector<std::string> result;
  std::size_t more = 0;
  for (const auto& finding : check(facts, rules)) {
    if (result.size() == most)
      ++more;
    else
      result.push_back(fmt::format("{}: {}", finding.offence.where, finding.offence.what));
  }
  if (more != 0)
    result.push_back(fmt::format("and {} more warning{}", more, more == 1 ? "" : "s"));
  return result;
}

}  // namespace sekisho::check
