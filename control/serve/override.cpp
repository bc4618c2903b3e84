// SPDX-License-Identifier: BSD-3-Clause
#include "control/serve/override.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "common/base/prefix.hpp"

namespace sekisho::serve {
namespace {

using Verb = OverrideRequest::Verb;

constexpr std::array verbs{std::pair{std::string_view("add"), Verb::add},
                           std::pair{std::string_view("del"), Verb::del},
                           std::pair{std::string_view("replace"), Verb::replace}};

const route::Route* user_route(const policy::Policy& policy, const OverrideRequest& request) {
  const auto* zone = policy.zone(request.zone);
  if (zone == nullptr) {
    return nullptr;
  }
  const auto same =
      std::ranges::equal_range(zone->table.candidates(), request.prefix, {}, &route::Route::prefix);
  const auto found =
      std::ranges::find_if(same, [](const route::Route& route) { return route::is_user(route.origin); });
  return found == same.end() ? nullptr : &*found;
}

auto remove(const policy::Policy& policy, const OverrideRequest& request,
            std::vector<policy::Override> others, bool was_overridden)
    -> tl::expected<std::shared_ptr<const policy::Policy>, std::string> {
  if (was_overridden) {
    // Whether the files have a route of this prefix, too, shows without the override.
    auto without = policy::with_overrides(policy, others);
    if (!without || user_route(**without, request) == nullptr) {
      return without;
    }
  }
  others.push_back({request.zone, request.prefix, std::nullopt});
  return policy::with_overrides(policy, std::move(others));
}

}  // namespace

auto read_override(const Json& request) -> tl::expected<OverrideRequest, std::string> {
  if (auto known = refuse_other_members(request, {"verb", "zone", "prefix", "next_hop"}); !known) {
    return tl::unexpected(std::move(known.error()));
  }
  const auto verb = string_member(request, "verb");
  const auto zone = string_member(request, "zone");
  const auto prefix = string_member(request, "prefix");
  const auto next_hop = string_member(request, "next_hop");
  for (const auto* member : {&verb, &zone, &prefix, &next_hop}) {
    if (!*member) {
      return tl::unexpected(member->error());
    }
  }
  const auto known =
      std::ranges::find(verbs, verb->value_or(""), [](const auto& pair) { return pair.first; });
  if (known == verbs.end()) {
    return tl::unexpected(std::string("\"verb\" must be \"add\", \"del\" or \"replace\""));
  }
  const auto parsed = base::parse_prefix(prefix->value_or(""));
  if (!parsed) {
    return tl::unexpected(parsed.error());
  }
  if ((known->second == Verb::del) == next_hop->has_value()) {
    return tl::unexpected(
        std::string(known->second == Verb::del
                        ? "\"del\" takes no next hop: it removes the zone's User routes of the prefix"
                        : "\"next_hop\" must name where the prefix is to go"));
  }
  return OverrideRequest{known->second, zone->value_or(""), *parsed, next_hop->value_or("")};
}

std::string to_string(const OverrideRequest& request) {
  const auto verb =
      std::ranges::find(verbs, request.verb, [](const auto& pair) { return pair.second; })->first;
  return fmt::format("{} {}{}{} in zone {}", verb, base::to_string(request.prefix),
                     request.next_hop.empty() ? "" : " ", request.next_hop, request.zone);
}

auto apply(const policy::Policy& policy, const OverrideRequest& request)
    -> tl::expected<std::shared_ptr<const policy::Policy>, std::string> {
  if (policy.zone(request.zone) == nullptr) {
    return tl::unexpected(fmt::format("there is no zone \"{}\"", request.zone));
  }
  const auto* there = user_route(policy, request);
  if (request.verb == Verb::add && there != nullptr) {
    return tl::unexpected(fmt::format("zone {} has a User route to {} already, by {}: `replace` changes it",
                                      request.zone, base::to_string(request.prefix),
                                      policy.names[there->next_hop]));
  }
  if (request.verb == Verb::del && there == nullptr) {
    return tl::unexpected(
        fmt::format("zone {} has no User route to {}", request.zone, base::to_string(request.prefix)));
  }
  auto others = policy.overrides;
  const auto was_overridden = std::erase_if(others, [&](const policy::Override& each) {
                                return each.zone == request.zone && each.prefix == request.prefix;
                              }) != 0;
  if (request.verb == Verb::del) {
    return remove(policy, request, std::move(others), was_overridden);
  }
  others.push_back({request.zone, request.prefix, request.next_hop});
  return policy::with_overrides(policy, std::move(others));
}

}  // namespace sekisho::serve
