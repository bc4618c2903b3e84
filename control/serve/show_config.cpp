// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <string_view>

#include "control/serve/plan.hpp"
#include "control/serve/show.hpp"

namespace sekisho::serve {
namespace {

std::string_view since_read(const base::Stamp& before, const std::vector<base::Stamp>& now) {
  const auto found = std::ranges::find(now, before.file, &base::Stamp::file);
  return found == now.end() ? "unknown" : base::to_string(base::since(before, *found));
}

Json overrides_json(const policy::Policy& policy) {
  auto overrides = Json::array();
  for (const auto& each : policy.overrides) {
    overrides.push_back({{"zone", each.zone},
                         {"prefix", base::to_string(each.prefix)},
                         {"next_hop", each.next_hop ? Json(*each.next_hop) : Json(nullptr)}});
  }
  return overrides;
}

}  // namespace

Json show_overrides(const policy::Policy& policy, const std::filesystem::path& configuration) {
  return {{"configuration", configuration.string()}, {"overrides", overrides_json(policy)}};
}

Json show_config(const policy::Policy& policy, const Sources& sources, const Planned& planned) {
  const auto& plan = planned.plan;
  auto files = Json::array();
  for (const auto& stamp : sources.files) {
    files.push_back({{"file", stamp.file.string()}, {"since_read", since_read(stamp, planned.files)}});
  }
  return {{"file", policy.config.file.string()},
          {"read_unix_ms", sources.read_unix_ms},
          {"files", std::move(files)},
          {"overrides", overrides_json(policy)},
          {"reload", plan ? plan_json(*plan) : Json{{"refused", plan.error()}}}};
}

}  // namespace sekisho::serve
