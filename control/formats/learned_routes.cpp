// SPDX-License-Identifier: BSD-3-Clause
// Azure REST API, GatewayRoute, PeerRoute and ExpressRouteCircuitRoutesTable.
#include "control/formats/learned_routes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <tuple>

#include "common/base/text.hpp"
#include "control/formats/route_collector.hpp"

namespace sekisho::formats {
namespace {

using route::NextHopType;
using Read = tl::expected<void, base::Error>;

bool is_path(const Json& value) {
  return find_member(value, "network") != nullptr && find_member(value, "nextHop") != nullptr &&
         (find_member(value, "weight") != nullptr || find_member(value, "origin") != nullptr);
}

// Route Server answers with a list of each of its instances: {"RouteServiceRole_IN_0": [..], "RouteServiceRole_IN_1": [..]}.
constexpr std::string_view instance = "routeservicerole_in_";
bool is_of_route_server(const Json& document) {
  return document.is_object() &&
         std::ranges::any_of(document.get_ref<const Json::object_t&>(), [](const auto& member) {
           return lower_case(member.first).starts_with(instance);
         });
}

class LearnedReader {
 public:
  explicit LearnedReader(RouteCollector& routes) : routes_(routes) {}

  auto list(const Json& list, const std::string& path) -> Read {
    for (std::size_t i = 0; i < list.size(); ++i)
      if (const auto done = read_path(list[i], element_path(path, i)); !done)
        return done;
    return {};
  }

  void finish() {
    for (auto& [prefix, best] : best_) {
      NextHop hop{
          .type = best.hops.size() > 1 ? NextHopType::virtual_appliance_ecmp : NextHopType::virtual_appliance,
          .name = {},
          .addresses = std::move(best.hops)};
      if (hop.addresses.empty())
        hop.type = NextHopType::virtual_network_gateway;  // its own
      routes_.add({.prefix = prefix, .origin = route::Origin::bgp, .next_hop = std::move(hop), .label = {}});
    }
  }

 private:
  // The better is the lesser. A gateway compares the weight first; then RFC 4271, 9.1.1, "the degree of preference", here
  // LOCAL_PREF; 9.1.2.2 a, the length of AS_PATH; 9.1.2.2 d, "if at least one of the candidate routes was received via EBGP,
  // remove from consideration all routes that were received via IBGP": a gateway's two instances tell each other by iBGP.
  using Rank = std::tuple<std::uint64_t, std::uint64_t, std::size_t, bool>;
  struct Best {
    Rank rank;
    std::vector<std::uint32_t> hops;
  };

  auto read_path(const Json& object, const std::string& path) -> Read {
    const auto members = Members::of(object, path, routes_.result.file);
    if (!members)
      return tl::unexpected(members.error());
    const auto network = members->string("network");
    const auto hop = members->string("nexthop");
    const auto as_path = members->string(members->find("aspath") != nullptr ? "aspath" : "path");
    if (!network || !hop || !as_path)
      return tl::unexpected(!network ? network.error() : !hop ? hop.error() : as_path.error());
    if (*network == nullptr)
      return members->refuse("network", "is a route without a network");
    if ((*network)->find(':') != std::string::npos) {
      routes_.leave_out_ipv6();
      return {};
    }
    const auto prefix = base::parse_prefix(**network);
    if (!prefix)
      return members->refuse("network", prefix.error());
    const auto* weight = members->find("weight");
    if (weight != nullptr && !weight->is_number_unsigned())
      return members->refuse("weight", fmt::format("is {} where a number is expected", type_name(*weight)));
    const auto preference = local_preference(*members);
    const auto origin = members->string("origin");
    if (!preference || !origin)
      return tl::unexpected(preference ? origin.error() : preference.error());
    const Rank rank{~(weight == nullptr ? 0 : weight->get<std::uint64_t>()), ~*preference,
                    length_of_as_path(*as_path == nullptr ? "" : **as_path),
                    *origin != nullptr && base::equal_without_case(**origin, "IBgp")};
    auto [known, added] = best_.try_emplace(*prefix, Best{.rank = rank});
    auto& best = known->second;
    if (rank > best.rank)
      return {};
    if (rank < best.rank)
      best = {.rank = rank};
    if (*hop == nullptr || (*hop)->empty() || **hop == "0.0.0.0")
      return {};
    const auto address = parse_next_hop_address(**hop);
    if (!address)
      return members->refuse("nexthop", address.error());
    if (std::ranges::find(best.hops, *address) == best.hops.end())
      best.hops.push_back(*address);
    if (best.hops.size() > most_ecmp)
      return members->refuse("nexthop", fmt::format("{} has more than {} next hops", **network, most_ecmp));
    return {};
  }

  // A number or its digits; absent or empty: what RFC 4271 leaves to configuration, and is 100 by custom.
  static auto local_preference(const Members& members) -> tl::expected<std::uint64_t, base::Error> {
    constexpr std::uint64_t otherwise = 100;
    const auto* value = members.find("locprf");
    if (value == nullptr || *value == "")
      return otherwise;
    if (value->is_number_unsigned())
      return value->get<std::uint64_t>();
    const auto text = members.string("locprf");
    if (!text)
      return tl::unexpected(text.error());
    std::uint32_t result = 0;
    const auto* const end = (*text)->data() + (*text)->size();
    const auto [rest, code] = std::from_chars((*text)->data(), end, result);
    if (code != std::errc{} || rest != end)
      return members.refuse("locprf", fmt::format("{} is no local preference", base::in_quotes(**text)));
    return result;
  }

  RouteCollector& routes_;
  std::map<base::Prefix, Best> best_;
};

}  // namespace

auto length_of_as_path(std::string_view as_path) -> std::size_t {
  std::size_t count = 0;
  bool in_number = false;
  for (const char c : as_path) {
    const bool is_digit = c >= '0' && c <= '9';
    count += is_digit && !in_number ? 1 : 0;
    in_number = is_digit;
  }
  return count;
}

bool holds_learned_routes(const Content& content) {
  return content.list != nullptr ? std::ranges::any_of(*content.list, is_path)
                                 : is_of_route_server(*content.document);
}

auto read_learned_routes(const Content& content, const Options& /*options*/) -> Reading {
  RouteCollector routes{content.file, Format::learned_routes};
  LearnedReader reader{routes};
  Read read;
  if (content.list != nullptr) {
    read = reader.list(*content.list, content.list_path);
  } else {
    for (const auto& [name, list] : content.document->get_ref<const Json::object_t&>()) {
      const auto path = member_path("$", name);
      if (!lower_case(name).starts_with(instance) || list.is_null())
        continue;
      if (!list.is_array())
        return tl::unexpected(base::Error{
            content.file, 0, fmt::format("is {} where an array is expected", type_name(list)), path});
      if (read = reader.list(list, path); !read)
        break;
    }
  }
  if (!read)
    return tl::unexpected(std::move(read.error()));
  reader.finish();
  return std::move(routes.result);
}

}  // namespace sekisho::formats
