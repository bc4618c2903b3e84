// SPDX-License-Identifier: BSD-3-Clause
#include "control/check/place.hpp"

#include <fmt/format.h>

#include "control/policy/written.hpp"

namespace sekisho::check {

auto place(const Facts& facts, const Table& table, const route::Route& route) -> std::string {
  if (table.holder == Table::Holder::zone) {
    const auto is_nobodys = route.line == 0 && !facts.policy->file_sources.contains(route.source);
    return is_nobodys ? place(facts, 0) : policy::written_at(*facts.policy, route);
  }
  const auto& source = (*table.names)[route.source];
  return route.line == 0 ? source : fmt::format("{}:{}", source, route.line);
}

auto place(const AzureTable& table) -> std::string {
  return table.file.string() +
         (table.parameters.empty() ? std::string{} : " with " + table.parameters.filename().string());
}

auto place(const Facts& facts, unsigned line) -> std::string {
  return place(facts.policy->config.at(line));
}

auto place(const base::Error& error) -> std::string {
  const auto file =
      error.line == 0 ? error.file.string() : fmt::format("{}:{}", error.file.string(), error.line);
  return error.path.empty() ? file : fmt::format("{}: {}", file, error.path);
}

}  // namespace sekisho::check
