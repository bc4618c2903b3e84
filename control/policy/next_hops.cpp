// SPDX-License-Identifier: BSD-3-Clause
#include "control/policy/next_hops.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <string_view>

#include "common/base/prefix.hpp"
#include "common/base/text.hpp"

namespace sekisho::policy {

using route::NextHopType;

auto NextHops::named(const std::string& name) -> NextHop {
  const auto type = name == none    ? NextHopType::none
                    : name == leave ? NextHopType::internet
                                    : NextHopType::named;
  return {names_.intern(name), type};
}

auto NextHops::resolve(const formats::NextHop& written, const std::string& otherwise)
    -> tl::expected<NextHop, std::string> {
  switch (written.type) {
    case NextHopType::named:
      return resolve_name(written.name);
    case NextHopType::none:
      return named(std::string{none});
    case NextHopType::internet:
      if (!config_.internet || !config_.internet->exit)
        return tl::unexpected(std::string{config::no_exit});
      return named(std::string{leave});
    case NextHopType::virtual_appliance:
    case NextHopType::virtual_appliance_ecmp:
      return resolve_members(written, otherwise);
    default:
      // What a gateway learned from this appliance has its address.
      if (own(written.addresses))
        return resolve_members(written, otherwise);
      return resolve_type(written.type, otherwise);
  }
}

auto NextHops::resolve_name(const std::string& name) -> tl::expected<NextHop, std::string> {
  const auto& known = config_.next_hops;
  if (std::ranges::find(known, name, &config::NextHop::name) != known.end())
    return named(name);
  std::vector<std::string_view> names;
  std::ranges::transform(known, std::back_inserter(names), &config::NextHop::name);
  return tl::unexpected(fmt::format("there is no next hop {} in the configuration{}", base::in_quotes(name),
                                    base::suggestion(name, names)));
}

auto NextHops::resolve_members(const formats::NextHop& written, const std::string& otherwise)
    -> tl::expected<NextHop, std::string> {
  auto members = written.addresses;
  std::ranges::sort(members);
  const auto text = formats::to_string({NextHopType::virtual_appliance_ecmp, {}, members});
  if (const auto address = own(members)) {
    if (!config_.internet)
      return tl::unexpected(
          fmt::format("{} is this appliance's own address, which means [internet].via, and "
                      "there is no [internet]",
                      base::address_to_string(*address)));
    return NextHop{names_.intern(config_.internet->via), written.type};
  }
  const config::NextHop* found = nullptr;
  for (const auto& next_hop : config_.next_hops) {
    if (next_hop.members != members)
      continue;
    if (found != nullptr)
      return tl::unexpected(fmt::format("next hop {} may be \"{}\" or \"{}\": write the name", text,
                                        found->name, next_hop.name));
    found = &next_hop;
  }
  if (found != nullptr)
    return NextHop{names_.intern(found->name), written.type};
  if (!otherwise.empty())
    return named(otherwise);
  const auto hint = unknown_interfaces_.empty()
                        ? std::string{}
                        : fmt::format(
                              "; the addresses of {} are not known here: an own one can be written in "
                              "own_addresses of [azure]",
                              unknown_interfaces_);
  return tl::unexpected(members.size() == 1
                            ? fmt::format("no next hop has {} as its only member{}", text, hint)
                            : fmt::format("no next hop has exactly the members {}{}", text, hint));
}

auto NextHops::resolve_type(NextHopType type, const std::string& otherwise)
    -> tl::expected<NextHop, std::string> {
  const auto bound = config_.azure.next_hops.find(type);
  if (bound != config_.azure.next_hops.end())
    return NextHop{names_.intern(bound->second), type};
  if (!otherwise.empty())
    return named(otherwise);
  return tl::unexpected(
      fmt::format("what next hop {0} is here, nothing says: write {0} = \"NAME\" in "
                  "[azure.next_hop]",
                  route::to_string(type)));
}

auto NextHops::possibly_own(const std::vector<std::uint32_t>& addresses) -> std::optional<std::uint32_t> {
  if (addresses.empty() || own(addresses) || unknown_interfaces_.empty())
    return std::nullopt;
  const auto found = std::ranges::find_if(addresses, [this](std::uint32_t address) {
    return std::ranges::none_of(config_.next_hops, [&](const config::NextHop& next_hop) {
      return std::ranges::binary_search(next_hop.members, address);
    });
  });
  return found == addresses.end() ? std::nullopt : std::optional{*found};
}

auto NextHops::own(const std::vector<std::uint32_t>& addresses) -> std::optional<std::uint32_t> {
  if (addresses.empty())
    return std::nullopt;
  ask_for_own_addresses();
  const auto found = std::ranges::find_if(addresses, [this](std::uint32_t address) {
    return std::ranges::find(*own_addresses_, address) != own_addresses_->end();
  });
  return found == addresses.end() ? std::nullopt : std::optional{*found};
}

void NextHops::ask_for_own_addresses() {
  if (own_addresses_)
    return;
  own_addresses_ = config_.azure.own_addresses;
  const auto add = [this](const std::vector<config::InterfaceAddress>& addresses) {
    std::ranges::transform(addresses, std::back_inserter(*own_addresses_),
                           &config::InterfaceAddress::address);
  };
  for (const auto& port : config_.ports) {
    add(port.addresses);
    if (!port.is_af_xdp())
      continue;
    // One without an address has not got it yet.
    if (const auto known = addresses_ ? addresses_(port) : std::nullopt; known && !known->empty())
      add(*known);
    else
      unknown_interfaces_ += (unknown_interfaces_.empty() ? "" : ", ") + *port.netdev();
  }
}

}  // namespace sekisho::policy
