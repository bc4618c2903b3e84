// SPDX-License-Identifier: BSD-3-Clause
// `ip -j route`: an array of objects (iproute2, iproute.c, print_route()).
#include <fmt/format.h>

#include <algorithm>

#include "control/formats/kernel_routes.hpp"

namespace sekisho::formats {
namespace {

using Read = tl::expected<void, base::Error>;

auto word(const Members& members, std::string_view key, std::string& result) -> Read {
  const auto text = members.string(key);
  if (!text)
    return tl::unexpected(text.error());
  if (*text != nullptr)
    result = **text;
  return {};
}

auto number(const Members& members, std::string_view key, std::uint64_t& result) -> Read {
  const auto* value = members.find(key);
  if (value == nullptr)
    return {};
  if (!value->is_number_unsigned())
    return members.refuse(key, fmt::format("is {} where a number is expected", type_name(*value)));
  result = value->get<std::uint64_t>();
  return {};
}

// {"gateway": .., "dev": .., "weight": .., "flags": ["dead", "linkdown"]}, of a route or of one of its "nexthops".
auto read_hop(const Members& members, KernelRoute& route) -> Read {
  auto& hop = route.hops.emplace_back();
  if (auto read = word(members, "gateway", hop.gateway)
                      .and_then([&] { return word(members, "dev", hop.device); })
                      .and_then([&] { return number(members, "weight", hop.weight); });
      !read)
    return read;
  route.is_ipv6 = route.is_ipv6 || hop.gateway.find(':') != std::string::npos;
  hop.is_encapsulated = members.find("encap") != nullptr;
  // A gateway of the other family: {"via": {"family": "inet6", "host": ..}}.
  if (const auto* via = members.find("via")) {
    const auto* host = find_member(*via, "host");
    if (host == nullptr || !host->is_string())
      return members.refuse("via", "is no gateway with a host");
    hop.gateway = host->get<std::string>();
  }
  const auto* flags = members.find("flags");
  if (flags != nullptr && !flags->is_array())
    return members.refuse("flags", fmt::format("is {} where an array is expected", type_name(*flags)));
  hop.is_dead =
      flags != nullptr && std::ranges::any_of(*flags, [](const Json& flag) { return flag == "dead"; });
  return {};
}

auto read_route(const Json& object, const std::string& path, const Content& content)
    -> tl::expected<KernelRoute, base::Error> {
  const auto members = Members::of(object, path, content.file);
  if (!members)
    return tl::unexpected(members.error());
  KernelRoute route{.path = path};
  if (auto read = word(*members, "type", route.type)
                      .and_then([&] { return word(*members, "dst", route.destination); })
                      .and_then([&] { return word(*members, "protocol", route.protocol); })
                      .and_then([&] { return word(*members, "tos", route.tos); })
                      .and_then([&] { return word(*members, "table", route.table); })
                      .and_then([&] { return number(*members, "metric", route.metric); });
      !read)
    return tl::unexpected(std::move(read.error()));
  if (route.destination.empty())
    return members->refuse("dst", "is a route without a destination");
  route.is_ipv6 = members->find("pref") != nullptr;
  const auto* several = members->find("nexthops");
  if (several == nullptr) {
    if (auto read = read_hop(*members, route); !read)
      return tl::unexpected(std::move(read.error()));
    return route;
  }
  if (!several->is_array())
    return members->refuse("nexthops", fmt::format("is {} where an array is expected", type_name(*several)));
  for (std::size_t i = 0; i < several->size(); ++i) {
    const auto hop = Members::of((*several)[i], element_path(members->where("nexthops"), i), content.file);
    if (!hop)
      return tl::unexpected(hop.error());
    if (auto read = read_hop(*hop, route); !read)
      return tl::unexpected(std::move(read.error()));
  }
  return route;
}

}  // namespace

bool holds_ip_route_json(const Content& content) {
  return content.list != nullptr && std::ranges::any_of(*content.list, [](const Json& each) {
           return find_member(each, "dst") != nullptr;
         });
}

auto read_ip_route_json(const Content& content, const Options& /*options*/) -> Reading {
  RouteCollector routes{content.file, Format::ip_route_json};
  KernelRoutes kernel{routes};
  if (content.list == nullptr)
    return tl::unexpected(base::Error{content.file, 0, "is an object where an array is expected", "$"});
  for (std::size_t i = 0; i < content.list->size(); ++i) {
    const auto added = read_route((*content.list)[i], element_path(content.list_path, i), content)
                           .and_then([&](const KernelRoute& route) { return kernel.add(route); });
    if (!added)
      return tl::unexpected(added.error());
  }
  kernel.finish();
  return std::move(routes.result);
}

}  // namespace sekisho::formats
