// SPDX-License-Identifier: BSD-3-Clause
#include "control/serve/effective_routes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/base/prefix.hpp"
#include "control/route/martians.hpp"

namespace sekisho::serve {
namespace {

using route::NextHopType;

const char* azure_source(route::Origin origin) {
  if (route::is_user(origin)) {
    return "User";
  }
  return origin == route::Origin::bgp ? "VirtualNetworkGateway" : "Default";
}

// Without escapes: of Azure's words and of numbers.
void append_word(std::string& text, std::string_view word) {
  text.append(1, '"').append(word).append(1, '"');
}

void append_addresses(std::string& text, std::span<const std::uint32_t> addresses) {
  text.push_back('[');
  for (const auto& address : addresses) {
    if (&address != addresses.data()) {
      text.push_back(',');
    }
    append_word(text, base::address_to_string(address));
  }
  text.push_back(']');
}

// A name is whatever somebody wrote.
void append_name(std::string& text, std::string_view name) {
  text += name.empty() ? "null" : Json(name).dump(-1, ' ', false, Json::error_handler_t::replace);
}

void append_winner(std::string& text, const AzureRoute& winner) {
  text += R"({"addressPrefix":[)";
  append_word(text, base::to_string(winner.prefix));
  text += R"(],"nextHopIpAddress":)";
  append_addresses(text, winner.words.addresses);
  text += R"(,"nextHopType":)";
  append_word(text, route::to_string(winner.words.type));
  text += R"(,"source":)";
  append_word(text, winner.source);
  text.push_back('}');
}

// The members of each name that is a next hop's; none of the rest.
std::vector<std::span<const std::uint32_t>> members_by_name(const policy::Policy& policy) {
  std::vector<std::span<const std::uint32_t>> result(policy.names.size());
  for (route::NameId id = 0; id < policy.names.size(); ++id) {
    const auto found =
        std::ranges::lower_bound(policy.config.next_hops, policy.names[id], {}, &config::NextHop::name);
    if (found != policy.config.next_hops.end() && found->name == policy.names[id]) {
      result[id] = found->members;
    }
  }
  return result;
}

// What a next hop's name is to Azure, where the route was not written in its words.
NextHopType type_of(std::string_view name, std::size_t members) {
  if (name == policy::none) {
    return NextHopType::none;
  }
  if (name == policy::leave) {
    return NextHopType::internet;
  }
  return members > 1 ? NextHopType::virtual_appliance_ecmp : NextHopType::virtual_appliance;
}

}  // namespace

EffectivePages::EffectivePages(std::shared_ptr<const route::RouteTable> table, InAzureWords words,
                               EffectiveOptions options)
    : table_(std::move(table)), words_(std::move(words)), options_(options), routes_(*table_) {}

auto EffectivePages::open(const std::shared_ptr<const policy::Policy>& policy, const std::string& zone,
                          EffectiveOptions options) -> tl::expected<EffectivePages, std::string> {
  const auto* found = policy->zone(zone);
  if (found == nullptr) {
    return tl::unexpected{fmt::format("there is no zone \"{}\"", zone)};
  }
  auto words = [policy, members = members_by_name(*policy)](const route::Route& route) -> AzureWords {
    const auto addresses = members[route.next_hop];
    switch (route.type) {
      case NextHopType::named:
      case NextHopType::virtual_appliance:
      case NextHopType::virtual_appliance_ecmp:
        return {.type = type_of(policy->names[route.next_hop], addresses.size()), .addresses = addresses};
      default:
        // Of the other types Azure names an address only where BGP told one.
        return {.type = route.type,
                .addresses = route.origin == route::Origin::bgp ? addresses : decltype(addresses){}};
    }
  };
  options.drops_martians = true;
  return EffectivePages{{policy, &found->table}, std::move(words), options};
}

AzureRoute EffectivePages::in_azures_words(const route::Route& route) const {
  return {.prefix = route.prefix, .source = azure_source(route.origin), .words = words_(route)};
}

void EffectivePages::next(const std::function<void(const EffectiveRow&)>& visit) {
  const auto effective = routes_.next();
  if (effective.route.origin == route::Origin::system_none && table_->shadow(effective.route) != nullptr) {
    return;  // Azure does not have it any more
  }
  EffectiveRow row{.route = in_azures_words(effective.route),
                   .state = effective.state == route::State::active ? "Active" : "Invalid",
                   .winner = std::nullopt};
  if (options_.winners && effective.winner != nullptr) {
    row.winner = in_azures_words(*effective.winner);
  }
  const auto block = options_.drops_martians ? route::martian_block(row.route.prefix) : std::nullopt;
  if (block && effective.state == route::State::active && row.route.words.type != NextHopType::none) {
    row.state = "Invalid";
    if (options_.winners) {
      row.winner = {.prefix = *block, .source = azure_source(route::Origin::system), .words = {}};
    }
  }
  const auto addresses = row.route.words.addresses;
  if (effective.route.origin != route::Origin::bgp || addresses.size() < 2) {
    visit(row);
    return;
  }
  for (std::size_t i = 0; i < addresses.size(); ++i) {
    row.route.words.addresses = addresses.subspan(i, 1);
    visit(row);
  }
}

void EffectivePages::append(std::string& text, const EffectiveRow& row) const {
  text += R"({"addressPrefix":[)";
  append_word(text, base::to_string(row.route.prefix));
  text += R"(],"destinationServiceTags":[],"disableBgpRoutePropagation":)";
  text += options_.takes_bgp ? "false" : "true";
  text += R"(,"hasBgpOverride":false,"name":)";
  append_name(text, row.route.words.name);
  text += R"(,"nextHopIpAddress":)";
  append_addresses(text, row.route.words.addresses);
  text += R"(,"nextHopType":)";
  append_word(text, route::to_string(row.route.words.type));
  text += R"(,"source":)";
  append_word(text, row.route.source);
  text += R"(,"state":)";
  append_word(text, row.state);
  text += R"(,"tagMap":{})";
  if (options_.winners) {
    text += R"(,"overriddenBy":)";
    row.winner ? append_winner(text, *row.winner) : static_cast<void>(text += "null");
  }
  text.push_back('}');
}

// From the text: an element's shape is written once, and this is no slower than a Json from lists.
Json EffectivePages::next() {
  std::string text;
  for (std::size_t rows = 0; rows < page_size && more();) {
    next([&](const EffectiveRow& row) {
      text.push_back(rows++ == 0 ? '[' : ',');
      append(text, row);
    });
  }
  return text.empty() ? Json::array() : Json::parse(text + ']');
}

}  // namespace sekisho::serve
