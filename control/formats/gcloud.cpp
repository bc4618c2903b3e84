// SPDX-License-Identifier: BSD-3-Clause
// Compute Engine API, Route. "If there is a tie, the system selects the route with the smallest priority value."
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <utility>

#include "common/base/text.hpp"
#include "control/formats/clouds.hpp"
#include "control/formats/preferred.hpp"
#include "control/formats/route_collector.hpp"

namespace sekisho::formats {
namespace {

using route::NextHopType;
using route::Origin;
using Read = tl::expected<void, base::Error>;

// "https://www.googleapis.com/compute/v1/projects/p/global/networks/default" -> "default"
auto last_part(const std::string& url) -> std::string {
  return url.substr(url.rfind('/') + 1);
}

// What tells it from a network of that name in another project: "p/global/networks/default".
auto behind_projects(const std::string& url) -> std::string {
  constexpr std::string_view projects = "/projects/";
  const auto at = url.find(projects);
  return at == std::string::npos ? url : url.substr(at + projects.size());
}

// ".../regions/europe-west1/vpnTunnels/t" -> "europe-west1/t"
auto with_place(const std::string& url) -> std::string {
  const auto name = url.rfind('/');
  const auto kind = name == std::string::npos || name == 0 ? std::string::npos : url.rfind('/', name - 1);
  const auto place = kind == std::string::npos || kind == 0 ? std::string::npos : url.rfind('/', kind - 1);
  return place == std::string::npos ? behind_projects(url)
                                    : url.substr(place + 1, kind - place - 1) + url.substr(name);
}

struct Hop {
  std::string_view key;
  Origin origin;
  bool is_one_of_several = true;  // its name tells it from the others
};
// A route has one of them.
constexpr std::array<Hop, 7> next_hops{{{"nexthopnetwork", Origin::vnet, false},
                                        {"nexthoppeering", Origin::vnet},
                                        {"nexthopvpntunnel", Origin::bgp},
                                        {"nexthopinterconnectattachment", Origin::bgp},
                                        {"nexthophub", Origin::bgp},
                                        {"nexthopinstance", Origin::user},
                                        {"nexthopilb", Origin::user}}};

class GcloudReader {
 public:
  explicit GcloudReader(RouteCollector& routes) : routes_(routes) {}

  // Before the routes: two regions may each have a tunnel of one name.
  void learn_names(const Json& routes) {
    for (const auto& route : routes)
      for (const auto& hop : next_hops)
        if (const auto* url = find_member(route, hop.key); url != nullptr && url->is_string()) {
          const auto& text = url->get_ref<const std::string&>();
          urls_[last_part(text)].insert(behind_projects(text));
        }
  }

  auto route(const Json& route, const std::string& path) -> Read {
    const auto members = Members::of(route, path, routes_.result.file);
    if (!members)
      return tl::unexpected(members.error());
    for (const auto* key : {"name", "network", "destrange", "routetype", "routestatus"})
      if (const auto text = members->string(key); !text)
        return tl::unexpected(text.error());
    const auto text = [&](std::string_view key) {
      const auto* value = members->find(key);
      return value == nullptr ? std::string{} : value->get<std::string>();
    };
    const auto table = table_of(text("network"), path);
    if (!table)
      return tl::unexpected(table.error());
    const auto opened = routes_.open(*table);
    const auto name = text("name");
    const auto destination = text("destrange");
    if (destination.find(':') != std::string::npos) {
      routes_.leave_out_ipv6();
      return {};
    }
    const auto prefix = base::parse_prefix(destination);
    if (!prefix)
      return members->refuse("destrange", prefix.error());
    if (const auto* tags = members->find("tags"); tags != nullptr && !tags->empty()) {
      routes_.find(base::Severity::error, members->where("tags"),
                   fmt::format("route {} is left out: it is one of instances "
                               "with certain tags only",
                               base::in_quotes(name)));
      return {};
    }
    if (const auto told = warnings(*members, name); !told)
      return told;
    auto target = next_hop(*members);
    if (!target)
      return tl::unexpected(std::move(target.error()));
    constexpr std::uint64_t otherwise = 1000;
    const auto* priority = members->find("priority");
    if (priority != nullptr && !priority->is_number_unsigned())
      return members->refuse("priority",
                             fmt::format("is {} where a number is expected", type_name(*priority)));
    const auto type = text("routetype");
    const auto status = text("routestatus");
    candidates_.add(priority == nullptr ? otherwise : priority->get<std::uint64_t>(), *table,
                    {.prefix = *prefix,
                     .origin = type == "BGP" ? Origin::bgp : target->origin,
                     .next_hop = std::move(target->next_hop),
                     .label = name,
                     .in_force = status.empty() || status == "ACTIVE"},
                    path);
    return {};
  }

  void finish() { candidates_.finish(routes_, "priority", Equals::share); }

 private:
  auto table_of(const std::string& network, const std::string& path)
      -> tl::expected<std::uint16_t, base::Error> {
    auto place = behind_projects(network);
    const auto known = tables_.find(place);
    if (known != tables_.end())
      return known->second;
    const auto added = routes_.add_table({.name = last_part(network), .place = place}, path);
    if (added)
      tables_.emplace(std::move(place), *added);
    return added;
  }

  // [{"code": "NEXT_HOP_INSTANCE_NOT_FOUND", "message": .., "data": [..]}]
  auto warnings(const Members& members, const std::string& name) -> Read {
    const auto* list = members.find("warnings");
    if (list == nullptr)
      return {};
    if (!list->is_array())
      return members.refuse("warnings", fmt::format("is {} where an array is expected", type_name(*list)));
    for (std::size_t i = 0; i < list->size(); ++i) {
      const auto warning =
          Members::of((*list)[i], element_path(members.where("warnings"), i), routes_.result.file);
      if (!warning)
        return tl::unexpected(warning.error());
      const auto code = warning->string("code");
      if (!code)
        return tl::unexpected(code.error());
      routes_.find(base::Severity::warning, warning->path(),
                   fmt::format("route {} has the warning {}", base::in_quotes(name),
                               base::in_quotes(*code == nullptr ? std::string_view{} : **code)));
    }
    return {};
  }

  struct Target {
    NextHop next_hop;
    Origin origin = Origin::user;
  };

  auto next_hop(const Members& members) const -> tl::expected<Target, base::Error> {
    const auto of_address = [&](std::string_view key,
                                const std::string& text) -> tl::expected<Target, base::Error> {
      const auto address = parse_next_hop_address(text);
      if (!address)
        return members.refuse(key, address.error());
      return Target{{.type = NextHopType::virtual_appliance, .name = {}, .addresses = {*address}}};
    };
    const auto address = members.string("nexthopip");
    const auto gateway = members.string("nexthopgateway");
    if (!address || !gateway)
      return tl::unexpected(address ? gateway.error() : address.error());
    if (*address != nullptr)
      return of_address("nexthopip", **address);
    if (*gateway != nullptr) {
      if (last_part(**gateway) != "default-internet-gateway")
        return members.refuse("nexthopgateway",
                              fmt::format("{} is no gateway that is known here", base::in_quotes(**gateway)));
      return Target{{.type = NextHopType::internet, .name = {}, .addresses = {}}};
    }
    for (const auto& hop : next_hops) {
      const auto text = members.string(hop.key);
      if (!text)
        return tl::unexpected(text.error());
      if (*text == nullptr)
        continue;
      auto name = last_part(**text);
      // An internal load balancer is told by its address or by its forwarding rule.
      if (hop.key == "nexthopilb" && base::parse_address(name))
        return of_address(hop.key, name);
      if (const auto known = urls_.find(name); known != urls_.end() && known->second.size() > 1)
        name = with_place(**text);
      if (!hop.is_one_of_several)
        return Target{{.type = NextHopType::vnet_local, .name = {}, .addresses = {}}, hop.origin};
      return Target{{.type = NextHopType::named, .name = std::move(name), .addresses = {}}, hop.origin};
    }
    return members.refuse("", "is a route without a next hop that is known here");
  }

  RouteCollector& routes_;
  std::map<std::string, std::uint16_t> tables_;        // by place
  std::map<std::string, std::set<std::string>> urls_;  // of next hops, by their last part
  Preferred candidates_;
};

// gcloud prints the list alone, the API has it in "items".
auto routes_of(const Content& content) -> std::pair<const Json*, std::string> {
  if (content.list != nullptr)
    return {content.list, content.list_path};
  const auto* items = find_member(*content.document, "items");
  return {items != nullptr && items->is_array() ? items : nullptr, "$.items"};
}

}  // namespace

bool holds_gcloud_routes(const Content& content) {
  const auto [list, path] = routes_of(content);
  return list != nullptr && std::ranges::any_of(*list, [](const Json& each) {
           return find_member(each, "destRange") != nullptr;
         });
}

auto read_gcloud_routes(const Content& content, const Options& /*options*/) -> Reading {
  RouteCollector routes{content.file, Format::gcloud};
  if (content.list == nullptr && find_member(*content.document, "nextPageToken") != nullptr)
    return tl::unexpected(base::Error{content.file, 0, "the list goes on behind this token; save all of it",
                                      "$.nextPageToken"});
  const auto [list, path] = routes_of(content);
  if (list == nullptr)
    return tl::unexpected(base::Error{content.file, 0, "there is no array of routes", "$"});
  GcloudReader reader{routes};
  reader.learn_names(*list);
  for (std::size_t i = 0; i < list->size(); ++i)
    if (const auto read = reader.route((*list)[i], element_path(path, i)); !read)
      return tl::unexpected(read.error());
  reader.finish();
  return std::move(routes.result);
}

}  // namespace sekisho::formats
