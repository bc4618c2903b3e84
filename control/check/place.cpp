// SPDX-License-Identifier: BSD-3-Clause
#include "control/check/place.hpp"

#include <fmt/format.h>

namespace sekisho::check {

auto place(const Facts& facts, const Table& table, const route::Route& route) -> std::string {
  const auto of_file = [&](const std::string& source) {
    return route.line == 0 ? source : fmt::format("{}:{}", source, route.line);
  };
  if (table.holder == Table::Holder::file)
    return of_file((*table.names)[route.source]);
  const auto& sources = facts.policy->file_sources;
  const auto source = sources.find(route.source);
  return source == sources.end() ? place(facts, route.line)
                                 : of_file(name_of_source(source->second.file, source->second.label));
}

auto name_of_source(const std::filesystem::path& file, const std::string& label) -> std::string {
  return label.empty() ? file.string() : fmt::format("{}: route {}", file.string(), label);
}

auto place(const Facts& facts, unsigned line) -> std::string {
  return place(base::Error{facts.policy->config.file, line, {}, {}});
}

auto place(const base::Error& error) -> std::string {
  const auto file =
      error.line == 0 ? error.file.string() : fmt::format("{}:{}", error.file.string(), error.line);
  return error.path.empty() ? file : fmt::format("{}: {}", file, error.path);
}

}  // namespace sekisho::check
