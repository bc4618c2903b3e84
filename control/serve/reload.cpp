// SPDX-License-Identifier: BSD-3-Clause
#include "control/serve/reload.hpp"

#include <fmt/format.h>

namespace sekisho::serve {
namespace {

constexpr std::uint64_t longest_trial = 24 * 60 * 60;

auto number_member(const Json& request, const char* name, std::uint64_t least, std::uint64_t most)
    -> tl::expected<std::optional<std::uint64_t>, std::string> {
  const auto given = request.find(name);
  if (given == request.end() || given->is_null()) {
    return std::nullopt;
  }
  const auto number = given->is_number_integer() ? given->get<std::int64_t>() : -1;
  if (number < static_cast<std::int64_t>(least) || number > static_cast<std::int64_t>(most)) {
    return tl::unexpected(fmt::format("\"{}\" must be a number from {} to {}", name, least, most));
  }
  return static_cast<std::uint64_t>(number);
}

}  // namespace

auto read_reload(const Json& request) -> tl::expected<ReloadRequest, std::string> {
  const auto known =
      refuse_other_members(request, {"dry_run", "force", "policy", "confirm_seconds", "config"});
  const auto dry_run = flag_member(request, "dry_run");
  const auto force = flag_member(request, "force");
  const auto config = string_member(request, "config");
  const auto policy = number_member(request, "policy", 0, std::uint64_t{1} << 53);
  const auto confirm = number_member(request, "confirm_seconds", 1, longest_trial);
  for (const auto* why : {known ? nullptr : &known.error(), dry_run ? nullptr : &dry_run.error(),
                          force ? nullptr : &force.error(), config ? nullptr : &config.error(),
                          policy ? nullptr : &policy.error(), confirm ? nullptr : &confirm.error()}) {
    if (why != nullptr) {
      return tl::unexpected(*why);
    }
  }
  if (*config && (!*dry_run || *policy)) {
    return tl::unexpected(std::string{"\"config\" requires \"dry_run\", and no \"policy\""});
  }
  if (*confirm && *dry_run) {
    return tl::unexpected(std::string{"a dry run changes nothing that would have to be confirmed"});
  }
  return ReloadRequest{
      .is_dry_run = *dry_run,
      .order = {.force = *force,
                .policy = *policy,
                .confirm_within = *confirm ? std::optional(std::chrono::seconds(**confirm)) : std::nullopt},
      .rehearsal = {.policy = *policy, .config = config->value_or("")}};
}

Json reload_json(const Reloaded& reloaded) {
  const auto& committed = reloaded.committed;
  auto failed = Json::array();
  for (const auto& port : committed.failed_ports()) {
    failed.push_back({{"name", port.name()}, {"device", port.device()}, {"error", port.error()}});
  }
  return {{"applied", reloaded.applied},
          {"transaction", reloaded.applied ? Json(committed.transaction()) : Json(nullptr)},
          {"ports_changed", committed.ports_changed()},
          {"next_hops_changed", committed.next_hops_changed()},
          {"adjacencies_changed", committed.adjacencies_changed()},
          {"zones_changed", committed.zones_changed()},
          {"routes_added", committed.routes_added()},
          {"routes_changed", committed.routes_changed()},
          {"routes_removed", committed.routes_removed()},
          {"failed_ports", std::move(failed)},
          {"overrides_dropped", reloaded.overrides_dropped},
          {"policy", reloaded.policy ? Json(*reloaded.policy) : Json(nullptr)},
          {"confirm_until_unix_ms",
           reloaded.confirm_until_unix_ms ? Json(*reloaded.confirm_until_unix_ms) : Json(nullptr)},
          {"warnings", reloaded.warnings}};
}

}  // namespace sekisho::serve
