// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include "control/check/rules.hpp"

namespace sekisho::check {
namespace {

// Azure, "Azure subscription and service limits": user-defined routes per route table, service tags among them.
constexpr std::size_t most_routes = 400;
constexpr std::size_t most_tags = 25;

auto name_of(const formats::TableSummary& table) -> std::string {
  return table.name.empty() ? "the route table" : fmt::format("route table {}", table.name);
}

auto find_too_long(const Facts& facts) -> Offences {
  Offences result;
  for (const auto& [file, table] : facts.azure_tables)
    if (table.routes > most_routes)
      result.push_back({file.string(), fmt::format("{} has {} routes", name_of(table), table.routes)});
  return result;
}

auto find_too_many_tags(const Facts& facts) -> Offences {
  Offences result;
  for (const auto& [file, table] : facts.azure_tables)
    if (table.tags > most_tags)
      result.push_back(
          {file.string(), fmt::format("{} has {} routes to service tags", name_of(table), table.tags)});
  return result;
}

}  // namespace

const Rule table_too_long{
    "table-too-long", Severity::warning,
    "A route table in Azure takes 400 routes, or 1,000 if Azure Virtual Network Manager manages it; the "
    "appliance takes more.",
    "Summarise the routes, have Virtual Network Manager manage the table, or keep it on the appliance alone.",
    find_too_long};

const Rule table_too_many_tags{
    "table-too-many-tags", Severity::warning,
    "A route table in Azure takes 25 routes to service tags; the appliance takes more.",
    "Use a tag of the whole cloud instead of many regional ones, or keep the table on the appliance alone.",
    find_too_many_tags};

}  // namespace sekisho::check
