// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <algorithm>

#include "common/base/prefix.hpp"
#include "control/check/place.hpp"
#include "control/check/rules.hpp"
#include "control/check/table.hpp"

namespace sekisho::check {
namespace {

struct Source {
  base::Prefix prefix;
  const config::Zone* zone;
};

auto find_sources_overlap(const Facts& facts) -> Offences {
  std::vector<Source> all;
  for (const auto& zone : facts.policy->config.zones)
    for (const auto prefix : zone.sources)
      all.push_back({prefix, &zone});
  std::ranges::sort(all, {}, &Source::prefix);
  Offences result;
  std::vector<Source> around;  // what covers the place that the walk has reached, the longest last
  for (const auto& source : all) {
    while (!around.empty() && !around.back().prefix.covers(source.prefix))
      around.pop_back();
    // The zone of all that no other claims is there to be cut into.
    if (!around.empty() && around.back().prefix != default_route && around.back().zone != source.zone)
      result.push_back(
          {place(facts, source.zone->line),
           fmt::format("{} of zone {} lies in {} of zone {}", base::to_string(source.prefix),
                       source.zone->name, base::to_string(around.back().prefix), around.back().zone->name)});
    around.push_back(source);
  }
  return result;
}

}  // namespace

const Rule sources_overlap{"sources-overlap", Severity::note,
                           "A packet belongs to the zone with the longest source that covers it, and to no "
                           "other: the outer zone's ports drop the "
                           "inner zone's packets as spoofed unless they are the inner zone's, too.",
                           "Nothing, if that is what the inner source is for; else remove it.",
                           find_sources_overlap};

}  // namespace sekisho::check
