// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "common/base/error.hpp"
#include "common/base/prefix.hpp"
#include "common/base/text.hpp"
#include "control/formats/arm_value.hpp"
#include "control/formats/azure_parts.hpp"

namespace sekisho::formats {
namespace {

using route::NextHopType;

constexpr std::array<std::string_view, 7> table_properties{"disablebgproutepropagation",
                                                           "disablepeeringroute",
                                                           "name",
                                                           "properties",
                                                           "resources",
                                                           "routes",
                                                           "subnets"};
constexpr std::array<std::string_view, 7> route_properties{
    "addressprefix", "hasbgpoverride", "name", "nexthop", "nexthopipaddress", "nexthoptype", "properties"};
constexpr std::array<std::string_view, 6> writable_types{
    "VirtualNetworkGateway", "VnetLocal", "Internet", "VirtualAppliance", "VirtualApplianceEcmp", "None"};

// A route that was taken for a table would be an empty one.
constexpr std::array<std::string_view, 5> properties_of_routes_alone{
    "addressprefix", "hasbgpoverride", "nexthop", "nexthopipaddress", "nexthoptype"};

auto route_named(const std::string& name) -> std::string {
  return name.empty() ? "a route without a name" : fmt::format("route {}", base::in_quotes(name));
}

void find_unknown_properties(const Members& members, std::span<const std::string_view> known,
                             std::string_view what, RouteCollector& routes) {
  for (const auto& member : members)
    if (std::ranges::find(known, member.key) == known.end() && !is_harmless_property(member.key))
      routes.find_unknown_property(what, member.key, member.where);
}

// False where it is not known, either.
auto flag(const Members& members, std::string_view key) -> tl::expected<bool, base::Error> {
  const auto* value = members.find(key);
  return value != nullptr && is_unknown(*value) ? false : members.boolean(key, false);
}

// REST API, RouteTable, disablePeeringRoute: "'None' means peering routes are enabled, 'All' means all peering routes are disabled."
auto takes_peerings(const Members& table) -> tl::expected<bool, base::Error> {
  constexpr const char* key = "disablepeeringroute";
  const auto* value = table.find(key);
  if (value == nullptr || is_unknown(*value))
    return true;
  const auto word = table.string(key);
  if (!word)
    return tl::unexpected(word.error());
  if (*word == nullptr || (*word)->empty() || lower_case(**word) == "none")
    return true;
  if (lower_case(**word) != "all")
    return table.refuse(key,
                        fmt::format("is {} where \"All\" or \"None\" is expected", base::in_quotes(**word)));
  return false;
}

auto next_hop_type(const Members& route, const std::string& what) -> tl::expected<NextHopType, base::Error> {
  const auto word = route.string("nexthoptype");
  if (!word)
    return tl::unexpected(word.error());
  if (*word == nullptr)
    return route.refuse("nexthoptype", fmt::format("{}: nextHopType is missing", what));
  const auto type = route::parse_next_hop_type(**word);
  if (!type)
    return route.refuse("nexthoptype",
                        fmt::format("{}: {} is not an Azure next-hop type{}", what, base::in_quotes(**word),
                                    base::suggestion(**word, writable_types)));
  if (route::is_output_only(*type))
    return route.refuse("nexthoptype", fmt::format("{}: {} is a next hop that Azure makes; no "
                                                   "route table can ask for it",
                                                   what, **word));
  return *type;
}

// REST API: "The next hop definition containing ECMP next hop IP addresses. Only allowed when nextHopType is
// VirtualApplianceEcmp."
auto ecmp_addresses(const Members& route, const std::string& what, RouteCollector& routes)
    -> tl::expected<std::vector<std::uint32_t>, base::Error> {
  constexpr std::string_view addresses_key = "nexthopipaddresses";
  constexpr std::array known{addresses_key};
  const auto* value = route.find("nexthop");
  if (value == nullptr)
    return route.refuse("nexthop",
                        fmt::format("{}: nextHop with 2 to 64 nextHopIpAddresses is missing", what));
  const auto next_hop = Members::of(*value, route.where("nexthop"), routes.result.file);
  if (!next_hop)
    return tl::unexpected(next_hop.error());
  find_unknown_properties(*next_hop, known, "nextHop", routes);
  const auto* list = next_hop->find(addresses_key);
  if (list == nullptr || !list->is_array())
    return next_hop->refuse(addresses_key, fmt::format("{}: nextHopIpAddresses is not an array", what));
  return parse_next_hop_addresses(*list, next_hop->where(addresses_key), routes.result.file)
      .and_then(
          [&](std::vector<std::uint32_t> addresses) -> tl::expected<std::vector<std::uint32_t>, base::Error> {
            if (addresses.size() < least_ecmp)
              return next_hop->refuse(
                  addresses_key,
                  fmt::format("{}: a VirtualApplianceEcmp needs {} next hops or more", what, least_ecmp));
            return addresses;
          });
}

auto read_next_hop(const Members& route, const std::string& what, RouteCollector& routes)
    -> tl::expected<NextHop, base::Error> {
  const auto type = next_hop_type(route, what);
  if (!type)
    return tl::unexpected(type.error());
  const auto word = route.string("nexthopipaddress");
  if (!word)
    return tl::unexpected(word.error());
  const bool has_address = *word != nullptr && !(*word)->empty();
  NextHop result{.type = *type, .name = {}, .addresses = {}};

  if (*type == NextHopType::virtual_appliance) {
    if (!has_address)
      return route.refuse("nexthopipaddress",
                          fmt::format("{}: a VirtualAppliance needs its nextHopIpAddress", what));
    const auto address = parse_next_hop_address(**word);
    if (!address)
      return route.refuse("nexthopipaddress", fmt::format("{}: {}", what, address.error()));
    result.addresses = {*address};
  } else if (has_address) {
    // REST API: "Next hop values are only allowed in routes where the next hop type is VirtualAppliance."
    return route.refuse("nexthopipaddress",
                        fmt::format("{}: only a VirtualAppliance has a nextHopIpAddress", what));
  }
  if (*type == NextHopType::virtual_appliance_ecmp) {
    auto addresses = ecmp_addresses(route, what, routes);
    if (!addresses)
      return tl::unexpected(std::move(addresses.error()));
    result.addresses = std::move(*addresses);
  } else if (route.find("nexthop") != nullptr) {
    return route.refuse("nexthop", fmt::format("{}: only a VirtualApplianceEcmp has a nextHop", what));
  }
  return result;
}

}  // namespace

bool is_harmless_property(std::string_view key) noexcept {
  static constexpr std::array<std::string_view, 25> harmless{
      "apiversion",        "asserts",    "comments",      "copy",         "dependson", "etag",
      "extendedlocation",  "id",         "identity",      "kind",         "location",  "managedby",
      "metadata",          "plan",       "resourcegroup", "resourceguid", "scope",     "sku",
      "provisioningstate", "systemdata", "tags",          "type",         "zones",     "condition",
      "resourceid"};
  // PowerShell's objects have these beside Azure's.
  static constexpr std::array<std::string_view, 5> of_powershell{"resourcegroupname", "routestext",
                                                                 "subnetstext", "tag", "tagstable"};
  return std::ranges::find(harmless, key) != harmless.end() ||
         std::ranges::find(of_powershell, key) != of_powershell.end();
}

auto RouteTableReader::table(const Json& table, const std::string& path)
    -> tl::expected<std::uint16_t, base::Error> {
  const auto members = Members::of(table, path, routes_.result.file, true);
  if (!members)
    return tl::unexpected(members.error());
  for (const auto key : properties_of_routes_alone)
    if (std::ranges::find(*members, key, &Members::Member::key) != members->end())
      return members->refuse(key, "belongs to a route, and this is a route table");
  find_unknown_properties(*members, table_properties, "a route table", routes_);

  TableSummary summary;
  if (const auto* name = members->find("name"); name != nullptr && is_unknown(*name)) {
    summary.name = unknown_expression(*name);
  } else {
    const auto text = members->string("name");
    if (!text)
      return tl::unexpected(text.error());
    summary.name = *text == nullptr ? "" : **text;
  }
  const auto* propagation = members->find("disablebgproutepropagation");
  const auto disabled = flag(*members, "disablebgproutepropagation");
  if (!disabled)
    return tl::unexpected(disabled.error());
  summary.takes_bgp = !*disabled;
  const auto* peerings = members->find("disablepeeringroute");
  const auto takes = takes_peerings(*members);
  if (!takes)
    return tl::unexpected(takes.error());
  summary.takes_peerings = *takes;
  for (const auto& member : *members)
    if (member.key == "subnets" && !is_unknown(*member.value))
      summary.subnets = attached_subnets(*member.value);
  if (const auto* id = members->find("id"); id != nullptr && id->is_string())
    summary.place = id->get_ref<const std::string&>();
  const auto added = routes_.add_table(std::move(summary), path);
  if (!added)
    return added;
  const auto index = *added;
  const auto opened = routes_.open(index);
  if (propagation != nullptr && is_unknown(*propagation)) {
    routes_.find(base::Severity::warning, members->where("disablebgproutepropagation"),
                 fmt::format("{}; taken as false", unknown_reason(*propagation)));
  }

  if (peerings != nullptr && is_unknown(*peerings)) {
    routes_.find(base::Severity::warning, members->where("disablepeeringroute"),
                 fmt::format("{}; taken as \"None\"", unknown_reason(*peerings)));
  }

  for (const auto* key : {"routes", "properties"})
    if (const auto* value = members->find(key); value != nullptr && is_unknown(*value)) {
      routes_.find(base::Severity::error, members->where(key),
                   fmt::format("the routes of this table are left out: {}", unknown_reason(*value)));
      return index;
    }
  if (const auto* properties = members->find("properties"))
    return members->refuse("properties",
                           fmt::format("is {} where an object is expected", type_name(*properties)));
  const auto* list = members->find("routes");
  if (list == nullptr)
    return index;
  if (!list->is_array())
    return members->refuse("routes",
                           fmt::format("is {} where an array is expected{}", type_name(*list),
                                       list->is_string() ? ": ConvertTo-Json needs a greater -Depth" : ""));
  for (std::size_t i = 0; i < list->size(); ++i)
    if (const auto read = route((*list)[i], element_path(members->where("routes"), i), index); !read)
      return tl::unexpected(read.error());
  return index;
}

auto attached_subnets(const Json& list) -> std::vector<AttachedSubnet> {
  std::vector<AttachedSubnet> result;
  for (const auto& each : list) {
    const auto* id = each.is_string() ? &each : find_member(each, "id");
    if (id == nullptr || !id->is_string())
      continue;
    const auto& text = id->get_ref<const std::string&>();
    AttachedSubnet subnet{.name = text.substr(text.rfind('/') + 1), .prefix = {}};
    const auto* properties = find_member(each, "properties");
    const auto* prefix = find_member(properties == nullptr ? each : *properties, "addressPrefix");
    if (prefix != nullptr && prefix->is_string())
      if (const auto parsed = base::parse_prefix(prefix->get_ref<const std::string&>()))
        subnet.prefix = *parsed;
    result.push_back(std::move(subnet));
  }
  return result;
}

auto RouteTableReader::absent_table(const std::string& name, const std::string& path)
    -> tl::expected<std::uint16_t, base::Error> {
  return routes_.add_table({.name = name}, path);
}

auto RouteTableReader::route(const Json& route, const std::string& path, std::uint16_t table)
    -> tl::expected<void, base::Error> {
  return read(route, nullptr, path, table);
}

auto RouteTableReader::child(const Json& route, const std::string& name, const std::string& path,
                             std::uint16_t table) -> tl::expected<void, base::Error> {
  return read(route, &name, path, table);
}

auto RouteTableReader::is_repeated(const Members& members, const std::string& name, std::uint16_t table,
                                   Meaning meaning) -> tl::expected<bool, base::Error> {
  if (name.empty())
    return false;
  const auto key = fmt::format("{}/{}", table, lower_case(name));
  const auto [entry, added] = meanings_.try_emplace(key, meaning);
  if (added)
    return false;
  auto& first = entry->second;
  if (first.inline_route && !meaning.inline_route && first.text == meaning.text) {
    first.inline_route = false;  // a third one of this name is one too many
    return true;
  }
  return members.refuse(
      "name", fmt::format("the table {} has two routes {}",
                          base::in_quotes(routes_.result.tables[table].name), base::in_quotes(name)));
}

// What cannot be known is neither routed nor passed over in silence.
bool RouteTableReader::is_left_out(const Members& members, const std::string& what) {
  for (const auto* key : {"properties", "addressprefix", "nexthoptype", "nexthopipaddress", "nexthop"}) {
    const auto* value = members.find(key);
    const auto* unknown = value == nullptr ? nullptr : find_unknown(*value);
    if (unknown == nullptr)
      continue;
    const auto* prefix = members.find("addressprefix");
    const auto to = prefix != nullptr && prefix->is_string()
                        ? fmt::format(" to {}", base::in_quotes(prefix->get_ref<const std::string&>()))
                        : std::string{};
    routes_.find(base::Severity::error, members.where(key),
                 fmt::format("{}{} is left out: {}", what, to, unknown_reason(*unknown)));
    return true;
  }
  return false;
}

auto RouteTableReader::read(const Json& route, const std::string* child_name, const std::string& path,
                            std::uint16_t table) -> tl::expected<void, base::Error> {
  const auto opened = routes_.open(table);
  if (is_unknown(route)) {
    routes_.find(base::Severity::error, path,
                 fmt::format("one or more routes are left out: {}", unknown_reason(route)));
    return {};
  }
  const auto members = Members::of(route, path, routes_.result.file, true);
  if (!members)
    return tl::unexpected(members.error());
  return read(*members, child_name, table);
}

auto RouteTableReader::read(const Members& members, const std::string* child_name, std::uint16_t table)
    -> tl::expected<void, base::Error> {
  const auto opened = routes_.open(table);
  find_unknown_properties(members, route_properties, "a route", routes_);

  std::string name;  // empty: it has none, or none that is known
  std::string label;
  if (const auto* value = members.find("name"); value != nullptr && is_unknown(*value)) {
    label = unknown_expression(*value);
  } else {
    const auto text = members.string("name");
    if (!text)
      return tl::unexpected(text.error());
    name = child_name != nullptr ? *child_name : *text == nullptr ? "" : **text;
    label = name;
  }
  const auto what = route_named(label);
  if (is_left_out(members, what))
    return {};
  if (const auto* properties = members.find("properties"))
    return members.refuse("properties",
                          fmt::format("is {} where an object is expected", type_name(*properties)));

  const auto destination_text = members.string("addressprefix");
  if (!destination_text)
    return tl::unexpected(destination_text.error());
  if (*destination_text == nullptr)
    return members.refuse("addressprefix", fmt::format("{}: addressPrefix is missing", what));
  const auto destination = parse_destination(**destination_text);
  if (!destination)
    return members.refuse("addressprefix", fmt::format("{}: {}", what, destination.error()));
  if (destination->kind == DestinationKind::ipv6) {
    routes_.leave_out_ipv6();
    return {};
  }
  const auto overrides = flag(members, "hasbgpoverride");
  if (!overrides)
    return tl::unexpected(overrides.error());
  auto next_hop = read_next_hop(members, what, routes_);
  if (!next_hop)
    return tl::unexpected(std::move(next_hop.error()));

  Meaning meaning{fmt::format("{} {}", lower_case(**destination_text), static_cast<unsigned>(next_hop->type)),
                  child_name == nullptr};
  for (const auto address : next_hop->addresses)
    meaning.text += " " + base::address_to_string(address);
  const auto repeated = is_repeated(members, name, table, std::move(meaning));
  if (!repeated)
    return tl::unexpected(repeated.error());
  if (*repeated)
    return {};
  if (*overrides && !std::exchange(has_override_, true))
    routes_.find(base::Severity::note, members.where("hasbgpoverride"),
                 "hasBgpOverride does nothing, here and in other routes: the "
                 "longest prefix goes first");

  auto& summary = routes_.result.tables[table];
  ++summary.routes;
  const auto next_hop_id = routes_.next_hop(std::move(*next_hop));
  const auto label_id = routes_.label(label);
  if (destination->kind == DestinationKind::tag) {
    ++summary.tags;
    routes_.result.tag_routes.push_back({**destination_text, next_hop_id, label_id, members.path(), table});
  } else {
    routes_.result.routes.push_back(
        {.prefix = destination->prefix, .table = table, .next_hop = next_hop_id, .label = label_id});
  }
  return {};
}

}  // namespace sekisho::formats
