#include "control/api/plan.hpp"
#include "control/api/show.hpp"

namespace sekisho::api {

Json show_config(const policy::Policy& policy, const Sources& sources,
                 const tl::expected<Plan, std::string>& plan) {
  auto files = Json::array();
  for (const auto& stamp : sources.files) {
    files.push_back({{"file", stamp.file.string()}, {"since_read", load::to_string(load::since(stamp))}});
  }
  auto overrides = Json::array();
  for (const auto& each : policy.overrides) {
    overrides.push_back({{"zone", each.zone},
                         {"prefix", fib::to_string(each.prefix)},
                         {"next_hop", each.next_hop ? Json(*each.next_hop) : Json(nullptr)}});
  }
  return {{"file", policy.config.file.string()},
          {"read_unix_ms", sources.read_unix_ms},
          {"files", std::move(files)},
          {"overrides", std::move(overrides)},
          {"reload", plan ? plan_json(*plan) : Json{{"refused", plan.error()}}}};
}

}  // namespace sekisho::api
