// SPDX-License-Identifier: BSD-3-Clause
#include "control/formats/frr.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "common/base/text.hpp"
#include "control/formats/route_collector.hpp"

namespace sekisho::formats {
namespace {

using route::NextHopType;
using route::Origin;
using Read = tl::expected<void, base::Error>;

// {"10.0.0.0/8": [{..}, ..], ..}
bool maps_prefixes(const Json& value) {
  if (!value.is_object() || value.empty())
    return false;
  return std::ranges::all_of(value.get_ref<const Json::object_t&>(), [](const auto& member) {
    return member.first.find('/') != std::string::npos && member.second.is_array();
  });
}

bool flag(const Json& value, std::string_view name) {
  const auto* member = find_member(value, name);
  return member != nullptr && member->is_boolean() && member->get<bool>();
}

class FrrReader {
 public:
  explicit FrrReader(RouteCollector& routes) : routes_(routes) {}

  auto table(const Json& table, const std::string& path, const std::string& vrf) -> Read {
    const auto index = routes_.add_table({.name = vrf, .place = "vrf " + vrf}, path);
    if (!index)
      return tl::unexpected(index.error());
    const auto opened = routes_.open(*index);
    for (const auto& [prefix, entries] : table.get_ref<const Json::object_t&>()) {
      const auto place = member_path(path, prefix);
      if (!entries.is_array())
        return refuse(place, fmt::format("is {} where an array is expected", type_name(entries)));
      for (std::size_t i = 0; i < entries.size(); ++i)
        if (const auto done = entry(prefix, entries[i], element_path(place, i)); !done)
          return done;
    }
    routes_.find_own(std::exchange(own_, 0));
    return {};
  }

 private:
  auto refuse(const std::string& path, std::string reason) const -> tl::unexpected<base::Error> {
    return tl::unexpected(base::Error{routes_.result.file, 0, std::move(reason), path});
  }

  auto entry(const std::string& destination, const Json& entry, const std::string& path) -> Read {
    const auto members = Members::of(entry, path, routes_.result.file);
    if (!members)
      return tl::unexpected(members.error());
    const auto protocol = members->string("protocol");
    const auto selected = members->boolean("selected", false);
    if (!protocol || !selected)
      return tl::unexpected(protocol ? selected.error() : protocol.error());
    if (*protocol == nullptr)
      return members->refuse("protocol", "is a route without a protocol");
    if (destination.find(':') != std::string::npos) {
      routes_.leave_out_ipv6();
      return {};
    }
    const auto prefix = base::parse_prefix(destination);
    if (!prefix)
      return refuse(path, prefix.error());
    if (**protocol == "local") {  // an address of the router's own
      ++own_;
      return {};
    }
    if (const auto vrf = other_vrf(*members); *selected && !vrf.empty()) {
      routes_.find(
          base::Severity::error, path,
          fmt::format("{} is left out: its next hop is in another VRF, {}, and no neighbour of this one",
                      destination, base::in_quotes(vrf)));
      return {};
    }
    auto hop = next_hop(*members, destination, **protocol, *selected);
    if (!hop)
      return tl::unexpected(std::move(hop.error()));
    routes_.add({.prefix = *prefix,
                 .origin = origin_of(**protocol),
                 .next_hop = std::move(*hop),
                 .label = {},
                 .in_force = *selected});
    return {};
  }

  // zebra names a next hop's VRF where it is not the route's own (zebra_vty.c): the route is leaked.
  static auto other_vrf(const Members& members) -> std::string {
    const auto* list = members.find("nexthops");
    if (list != nullptr && list->is_array())
      for (const auto& hop : *list)
        if (const auto* vrf = find_member(hop, "vrf"); vrf != nullptr && vrf->is_string())
          return vrf->get<std::string>();
    return {};
  }

  // zebra's names (lib/route_types.txt).
  static Origin origin_of(std::string_view protocol) {
    if (protocol == "connected")
      return Origin::system;
    return protocol == "static" || protocol == "kernel" || protocol == "table" || protocol == "pbr"
               ? Origin::user
               : Origin::bgp;
  }

  auto next_hop(const Members& members, std::string_view destination, std::string_view protocol,
                bool is_selected) -> tl::expected<NextHop, base::Error> {
    const auto* list = members.find("nexthops");
    if (list == nullptr || !list->is_array() || list->empty())
      return members.refuse("nexthops", "is not an array of at least one next hop");
    // Of a recursive next hop the ones that it resolves to stand beside it, and those are what zebra installs. Of a route
    // that is not in force all are shown.
    const auto has_fib = std::ranges::any_of(*list, [](const Json& hop) { return flag(hop, "fib"); });
    NextHop result{.type = NextHopType::virtual_appliance, .name = {}, .addresses = {}};
    std::set<std::string> devices;
    std::set<std::uint64_t> weights;
    for (std::size_t i = 0; i < list->size(); ++i) {
      const auto& hop = (*list)[i];
      const auto place = element_path(members.where("nexthops"), i);
      if (!hop.is_object())
        return refuse(place, fmt::format("is {} where an object is expected", type_name(hop)));
      if (has_fib ? !flag(hop, "fib") : flag(hop, "recursive") || (is_selected && !flag(hop, "active")))
        continue;
      if (flag(hop, "unreachable") || flag(hop, "blackhole") || flag(hop, "reject") ||
          flag(hop, "adminProhibited"))
        return NextHop{.type = NextHopType::none, .name = {}, .addresses = {}};
      const auto* ip = find_member(hop, "ip");
      if (ip == nullptr) {
        const auto* name = find_member(hop, "interfaceName");
        if (name != nullptr && name->is_string())
          devices.insert(name->get<std::string>());
        continue;
      }
      const auto address = ip->is_string() ? parse_next_hop_address(ip->get_ref<const std::string&>())
                                           : tl::unexpected(std::string{"is no address"});
      if (!address)
        return refuse(member_path(place, "ip"), address.error());
      if (std::ranges::find(result.addresses, *address) == result.addresses.end())
        result.addresses.push_back(*address);
      const auto* weight = find_member(hop, "weight");
      weights.insert(weight != nullptr && weight->is_number_unsigned() ? weight->get<std::uint64_t>() : 1);
    }
    if (result.addresses.size() > most_ecmp)
      return members.refuse("nexthops", fmt::format("are more than {} next hops", most_ecmp));
    if (result.addresses.size() > 1)
      result.type = NextHopType::virtual_appliance_ecmp;
    if (is_selected && weights.size() > 1)
      routes_.find(
          base::Severity::warning, members.path(),
          fmt::format("{} has next hops of different weights, and all are taken alike", destination));
    if (is_selected && protocol != "connected" && devices.size() + (result.addresses.empty() ? 0 : 1) > 1)
      return members.refuse("nexthops", "have one without an address among several");
    if (!result.addresses.empty())
      return result;
    if (protocol == "connected")
      return NextHop{.type = NextHopType::vnet_local, .name = {}, .addresses = {}};
    if (devices.empty())
      return members.refuse("nexthops", is_selected
                                            ? "have none that is active and has an address or an interface"
                                            : "have neither an address nor an interface");
    return NextHop{.type = NextHopType::named, .name = *devices.begin(), .addresses = {}};
  }

  RouteCollector& routes_;
  std::size_t own_ = 0;  // of the open table, addresses of the router's own
};

// Of `show ip route vrf red json`, which is one table without a name before it.
auto vrf_of(const Json& table) -> std::string {
  const auto& [prefix, entries] = *table.get_ref<const Json::object_t&>().begin();
  const auto* name = entries.empty() ? nullptr : find_member(entries.front(), "vrfName");
  return name != nullptr && name->is_string() ? name->get<std::string>() : "default";
}

}  // namespace

bool holds_frr_routes(const Content& content) {
  if (content.list != nullptr || !content.document->is_object() || content.document->empty())
    return false;
  if (maps_prefixes(*content.document))
    return true;
  // Of several VRFs each is a member; one without routes is an empty object.
  const auto& members = content.document->get_ref<const Json::object_t&>();
  return std::ranges::any_of(members, [](const auto& member) { return maps_prefixes(member.second); }) &&
         std::ranges::all_of(members, [](const auto& member) {
           return maps_prefixes(member.second) || (member.second.is_object() && member.second.empty());
         });
}

auto read_frr_routes(const Content& content, const Options& /*options*/) -> Reading {
  RouteCollector routes{content.file, Format::frr};
  FrrReader reader{routes};
  if (!content.document->is_object())
    return tl::unexpected(base::Error{content.file, 0, "is an array where an object is expected", "$"});
  Read read;
  if (maps_prefixes(*content.document)) {
    read = reader.table(*content.document, "$", vrf_of(*content.document));
  } else {
    for (const auto& [vrf, table] : content.document->get_ref<const Json::object_t&>()) {
      const auto path = member_path("$", vrf);
      if (!table.is_object())
        return tl::unexpected(
            base::Error{content.file, 0,
                        fmt::format("is {} where the routes of a VRF are expected", type_name(table)), path});
      if (read = reader.table(table, path, vrf); !read)
        break;
    }
  }
  if (!read)
    return tl::unexpected(std::move(read.error()));
  return std::move(routes.result);
}

}  // namespace sekisho::formats
