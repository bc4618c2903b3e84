// SPDX-License-Identifier: BSD-3-Clause
#include "control/check/table.hpp"

#include <algorithm>
#include <utility>

#include "control/policy/system_routes.hpp"
#include "control/policy/written.hpp"

namespace sekisho::check {

namespace {

auto overridden_by_users(const formats::RouteFile& file) -> std::vector<base::Prefix> {
  std::vector<base::Prefix> result;
  for (const auto& route : file.invalid)
    if (const auto type = file.next_hops[route.next_hop].type; is_of_vnets(type))
      result.push_back(route.prefix);
  return result;
}

}  // namespace

auto table_of(const formats::RouteFile& file) -> Table {
  auto routes = std::make_shared<route::RouteTable>();
  auto names = std::make_shared<route::Names>();
  std::vector<route::NameId> next_hops;
  for (const auto& next_hop : file.next_hops)
    next_hops.push_back(names->intern(formats::to_string(next_hop)));
  std::vector<route::NameId> sources;
  for (const auto& label : file.labels)
    sources.push_back(names->intern(policy::name_of_source(file.file, label)));
  for (const auto& route : file.routes)
    routes->add({route.prefix, route.origin, file.next_hops[route.next_hop].type, next_hops[route.next_hop],
                 sources[route.label], route.line});
  routes->finish();
  return {Table::Holder::file,
          file.file.string() + (file.table.empty() ? "" : "#" + file.table),
          std::move(routes),
          std::move(names),
          formats::are_effective_routes(file.format),
          overridden_by_users(file)};
}

auto exact(const Table& table, base::Prefix prefix) -> std::optional<route::Route> {
  const auto covering = table.routes->covering(prefix.address);
  const auto found = std::ranges::find(covering, prefix, &route::Route::prefix);
  return found == covering.end() ? std::nullopt : std::optional{*found};
}

bool has_both_halves(const Table& table) {
  return std::ranges::all_of(halves, [&](base::Prefix half) { return exact(table, half).has_value(); });
}

bool is_network_of_a_vnet(base::Prefix prefix) noexcept {
  return prefix.length >= shortest_network &&
         std::ranges::find(policy::private_space, prefix) == policy::private_space.end();
}

auto addresses_of(const Table& table, const route::Route& route) -> std::vector<std::uint32_t> {
  auto next_hop = formats::parse_next_hop(next_hop_of(table, route));
  return next_hop ? std::move(next_hop->addresses) : std::vector<std::uint32_t>{};
}

auto next_hop_of(const Table& table, const route::Route& route) -> const std::string& {
  return (*table.names)[route.next_hop];
}

}  // namespace sekisho::check
