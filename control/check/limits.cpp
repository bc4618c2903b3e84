// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <optional>

#include "control/check/place.hpp"
#include "control/check/rules.hpp"

namespace sekisho::check {
namespace {

// Azure, "Azure subscription and service limits": user-defined routes per route table, service tags among them.
constexpr std::size_t most_routes = 600;
constexpr std::size_t most_tags = 25;
// What sekisho-dataplane has without --extension-tables.
constexpr std::size_t most_extension_tables = 32'767;

auto name_of(const formats::TableSummary& table) -> std::string {
  return table.name.empty() ? "the route table" : fmt::format("route table {}", table.name);
}

auto find_too_long(const Facts& facts) -> Offences {
  Offences result;
  for (const auto& each : facts.azure_tables)
    if (const auto& table = each.summary; table.routes > most_routes)
      result.push_back({place(each), fmt::format("{} has {} routes", name_of(table), table.routes)});
  return result;
}

auto find_too_many_tags(const Facts& facts) -> Offences {
  Offences result;
  for (const auto& each : facts.azure_tables)
    if (const auto& table = each.summary; table.tags > most_tags)
      result.push_back(
          {place(each), fmt::format("{} has {} routes to service tags", name_of(table), table.tags)});
  return result;
}

// A /24 needs one that has longer prefixes in force, whatever their next hops.
auto extension_tables(const route::RouteTable& table) -> std::size_t {
  constexpr std::uint8_t direct = 24;
  std::size_t result = 0;
  std::optional<std::uint32_t> last;
  for (const auto& route : table.active())
    if (route.prefix.length > direct && last != route.prefix.address >> 8) {
      last = route.prefix.address >> 8;
      ++result;
    }
  return result;
}

auto find_too_many_extensions(const Facts& facts) -> Offences {
  Offences result;
  for (const auto& table : facts.tables) {
    if (table.holder != Table::Holder::zone)
      continue;
    if (const auto needed = extension_tables(*table.routes); needed > most_extension_tables)
      result.push_back(
          {place(facts, 0), fmt::format("{} has prefixes longer than /24 in {} /24s", table.name, needed)});
  }
  return result;
}

}  // namespace

const Rule table_too_deep{"table-too-deep", Severity::error,
                          "Each /24 that has longer prefixes takes an extension table of the dataplane, "
                          "which has 32,767 of them for "
                          "a zone unless it is told otherwise: a reload is refused whole.",
                          "Summarise the longer prefixes.", find_too_many_extensions};

const Rule table_too_long{
    "table-too-long", Severity::warning,
    "A route table in Azure takes 600 routes, or 1,000 if Azure Virtual Network Manager manages it; the "
    "appliance takes more.",
    "Summarise the routes, have Virtual Network Manager manage the table, or keep it on the appliance alone.",
    find_too_long};

const Rule table_too_many_tags{
    "table-too-many-tags", Severity::warning,
    "A route table in Azure takes 25 routes to service tags; the appliance takes more.",
    "Use a tag of the whole cloud instead of many regional ones, or keep the table on the appliance alone.",
    find_too_many_tags};

}  // namespace sekisho::check
