// SPDX-License-Identifier: BSD-3-Clause
#include "control/serve/override.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <ranges>
#include <string_view>
#include <tuple>

#include "common/base/error.hpp"

namespace sekisho::serve {
namespace {

using Verb = OverrideRequest::Verb;

constexpr std::array verbs{std::pair{std::string_view("add"), Verb::add},
                           std::pair{std::string_view("del"), Verb::del},
                           std::pair{std::string_view("replace"), Verb::replace}};

auto read_line(const Json& change) -> tl::expected<unsigned, std::string> {
  const auto line = change.find("line");
  if (line == change.end()) {
    return 0U;
  }
  if (!line->is_number_unsigned() || line->get<std::uint64_t>() > std::numeric_limits<unsigned>::max()) {
    return tl::unexpected(std::string("\"line\" must be a number"));
  }
  return line->get<unsigned>();
}

// What of `change` is a change: it may be the request itself.
auto read_override(const Json& change) -> tl::expected<OverrideRequest, std::string> {
  const auto verb = string_member(change, "verb");
  const auto zone = string_member(change, "zone");
  const auto prefix = string_member(change, "prefix");
  const auto next_hop = string_member(change, "next_hop");
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

// With where it stands: in a file, or among those of the request.
std::string placed(const std::string& file, unsigned line, std::size_t index, const std::string& why) {
  return line == 0 || file.empty() ? fmt::format("changes[{}]: {}", index, why)
                                   : base::Error{file, line, why}.to_string();
}

auto read_changes(const Json& request) -> tl::expected<RouteRequest, std::string> {
  if (auto known = refuse_other_members(request, {"changes", "file"}); !known) {
    return tl::unexpected(std::move(known.error()));
  }
  const auto file = string_member(request, "file");
  if (!file) {
    return tl::unexpected(file.error());
  }
  const auto& changes = request.at("changes");
  if (!changes.is_array() || changes.empty() || changes.size() > most_changes) {
    return tl::unexpected(fmt::format("\"changes\" must be an array of 1 to {}", most_changes));
  }
  RouteRequest result{.changes = {}, .file = file->value_or("")};
  result.changes.reserve(changes.size());
  for (const auto& change : changes) {
    const auto index = result.changes.size();
    if (!change.is_object()) {
      return tl::unexpected(placed({}, 0, index, "must be an object"));
    }
    const auto line = read_line(change);
    if (!line) {
      return tl::unexpected(placed({}, 0, index, line.error()));
    }
    auto known = refuse_other_members(change, {"verb", "zone", "prefix", "next_hop", "line"});
    auto one = known.and_then([&] { return read_override(change); });
    if (!one) {
      return tl::unexpected(placed(result.file, *line, index, one.error()));
    }
    one->line = *line;
    result.changes.push_back(std::move(*one));
  }
  return result;
}

}  // namespace

auto read_overrides(const Json& request) -> tl::expected<RouteRequest, std::string> {
  if (request.contains("changes")) {
    return read_changes(request);
  }
  if (auto known = refuse_other_members(request, {"verb", "zone", "prefix", "next_hop"}); !known) {
    return tl::unexpected(std::move(known.error()));
  }
  return read_override(request).map(
      [](OverrideRequest one) { return RouteRequest{.changes = {std::move(one)}}; });
}

std::string to_string(const OverrideRequest& request) {
  const auto verb =
      std::ranges::find(verbs, request.verb, [](const auto& pair) { return pair.second; })->first;
  return fmt::format("{} {}{}{} in zone {}", verb, base::to_string(request.prefix),
                     request.next_hop.empty() ? "" : " ", request.next_hop, request.zone);
}

std::string to_string(const RouteRequest& request) {
  return request.changes.size() == 1 ? to_string(request.changes.front())
                                     : fmt::format("batch of {} changes", request.changes.size());
}

auto OverrideEdit::user_route(const policy::ZonePolicy& zone, const Place& place) const
    -> std::optional<std::string> {
  if (const auto touched = touched_.find(place); touched != touched_.end()) {
    return touched->second ? touched->second->next_hop : std::nullopt;
  }
  const auto same =
      std::ranges::equal_range(zone.table.candidates(), place.second, {}, &route::Route::prefix);
  const auto found =
      std::ranges::find_if(same, [](const route::Route& route) { return route::is_user(route.origin); });
  return found == same.end() ? std::nullopt : std::optional{policy_.names[found->next_hop]};
}

auto OverrideEdit::apply(const OverrideRequest& request, Undo& undo) -> tl::expected<void, std::string> {
  policy::Override wanted{request.zone, request.prefix, std::nullopt};
  if (request.verb != Verb::del) {
    wanted.next_hop = request.next_hop;
  }
  if (auto checked = rules_.check(wanted); !checked) {
    return tl::unexpected(std::move(checked.error()));
  }
  const Place place{request.zone, request.prefix};
  const auto& zone = *policy_.zone(request.zone);
  const auto there = user_route(zone, place);
  if (request.verb == Verb::add && there) {
    return tl::unexpected(fmt::format("zone {} has a User route to {} already, by {}: `replace` changes it",
                                      request.zone, base::to_string(request.prefix), *there));
  }
  if (request.verb == Verb::del && !there) {
    return tl::unexpected(
        fmt::format("zone {} has no User route to {}", request.zone, base::to_string(request.prefix)));
  }
  const auto [touched, is_new] = touched_.try_emplace(place);
  undo.emplace_back(place,
                    is_new ? std::optional<Wanted>{} : std::optional<Wanted>{std::in_place, touched->second});
  const bool is_needed =
      request.verb != Verb::del || policy::has_written_route(policy_, zone, request.prefix);
  touched->second = is_needed ? Wanted{std::move(wanted)} : std::nullopt;
  return {};
}

auto OverrideEdit::apply(const RouteRequest& request) -> tl::expected<void, std::string> {
  Undo undo;
  for (std::size_t index = 0; index < request.changes.size(); ++index) {
    const auto& change = request.changes[index];
    if (auto applied = apply(change, undo); !applied) {
      for (auto& [place, before] : undo | std::views::reverse) {
        if (before) {
          touched_.at(place) = std::move(*before);
        } else {
          touched_.erase(place);
        }
      }
      return request.changes.size() == 1 && change.line == 0
                 ? applied
                 : tl::unexpected(placed(request.file, change.line, index, applied.error()));
    }
  }
  return {};
}

auto OverrideEdit::finish() const -> tl::expected<std::shared_ptr<const policy::Policy>, std::string> {
  std::vector<policy::Override> overrides;
  overrides.reserve(policy_.overrides.size() + touched_.size());
  auto next = touched_.begin();
  const auto take = [&] {
    if (next->second) {
      overrides.push_back(*next->second);
    }
    ++next;
  };
  for (const auto& each : policy_.overrides) {
    const auto place = std::tie(each.zone, each.prefix);
    while (next != touched_.end() && std::tie(next->first.first, next->first.second) < place) {
      take();
    }
    if (next != touched_.end() && std::tie(next->first.first, next->first.second) == place) {
      take();
    } else {
      overrides.push_back(each);
    }
  }
  while (next != touched_.end()) {
    take();
  }
  return policy::with_overrides(policy_, std::move(overrides));
}

}  // namespace sekisho::serve
