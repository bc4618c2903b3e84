// SPDX-License-Identifier: BSD-3-Clause
#include "control/serve/drain_member.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "common/base/prefix.hpp"
#include "control/config/learned_name.hpp"

namespace sekisho::serve {
namespace {

const config::NextHop* find(const config::Config& config, const std::string& name) {
  const auto found = std::ranges::find(config.next_hops, name, &config::NextHop::name);
  return found == config.next_hops.end() ? nullptr : &*found;
}

bool has_flows(const config::NextHop& next_hop, std::uint32_t address, const sync::View& view) {
  const auto member = std::ranges::find(view.members, address, &reach::Member::address);
  return member != view.members.end() && member->alive && sync::takes_flows(next_hop, address, view);
}

// Whether it lives and takes flows, and no other one does.
bool is_last(const config::NextHop& next_hop, std::uint32_t address, const sync::View& view) {
  return has_flows(next_hop, address, view) &&
         std::ranges::none_of(next_hop.members, [&](std::uint32_t other) {
           return other != address && has_flows(next_hop, other, view);
         });
}

}  // namespace

auto read_drain(const Json& request) -> tl::expected<DrainRequest, std::string> {
  if (auto known = refuse_other_members(request, {"verb", "next_hop", "member", "force"}); !known) {
    return tl::unexpected(known.error());
  }
  const auto verb = string_member(request, "verb");
  const auto next_hop = string_member(request, "next_hop");
  const auto member = string_member(request, "member");
  const auto force = flag_member(request, "force");
  for (const auto* part : {&verb, &next_hop, &member}) {
    if (!*part) {
      return tl::unexpected(part->error());
    }
  }
  if (!force) {
    return tl::unexpected(force.error());
  }
  if (*verb != "drain" && *verb != "undrain") {
    return tl::unexpected(std::string{"\"verb\" is drain or undrain"});
  }
  const auto address = base::parse_address(member->value_or(""));
  if (!address) {
    return tl::unexpected(address.error());
  }
  return DrainRequest{
      .next_hop = next_hop->value_or(""), .member = *address, .drained = *verb == "drain", .force = *force};
}

auto apply(const policy::Policy& policy, const sync::View& view, const DrainRequest& request)
    -> tl::expected<sync::Drained, std::string> {
  const auto* const next_hop = find(policy.config, request.next_hop);
  auto drained = view.drained;
  if (!request.drained && drained.erase({request.next_hop, request.member}) != 0) {
    return drained;  // also of a learned one that is not there at the moment
  }
  if (next_hop == nullptr) {
    return tl::unexpected(fmt::format("there is no next hop \"{}\"", request.next_hop));
  }
  const auto name = base::address_to_string(request.member);
  if (!std::ranges::binary_search(next_hop->members, request.member)) {
    return tl::unexpected(fmt::format("next hop {} has no member {}", next_hop->name, name));
  }
  if (request.drained && !request.force && is_last(*next_hop, request.member, view)) {
    return tl::unexpected(fmt::format(
        "{} is the last living member of next hop {}: without it, its traffic is dropped (--force drains it)",
        name, next_hop->name));
  }
  if (request.drained) {
    drained.emplace(next_hop->name, request.member);
  }
  return drained;
}

auto still_configured(const sync::Drained& drained, const config::Config& config) -> sync::Drained {
  auto result = drained;
  std::erase_if(result, [&](const auto& entry) {
    if (config.learns() && config::is_learned_name(entry.first)) {
      return false;
    }
    const auto* const next_hop = find(config, entry.first);
    return next_hop == nullptr || !std::ranges::binary_search(next_hop->members, entry.second);
  });
  return result;
}

Json drained_json(const sync::Drained& drained) {
  auto result = Json::object();
  for (const auto& [next_hop, member] : drained) {
    result[next_hop].push_back(base::address_to_string(member));
  }
  return result;
}

auto drained_of(const Json& kept) -> sync::Drained {
  sync::Drained result;
  if (!kept.is_object()) {
    return result;
  }
  for (const auto& [next_hop, members] : kept.items()) {
    for (const auto& member : members) {
      const auto address = base::parse_address(member.is_string() ? member.get<std::string>() : "");
      if (address) {
        result.emplace(next_hop, *address);
      }
    }
  }
  return result;
}

}  // namespace sekisho::serve
