// SPDX-License-Identifier: BSD-3-Clause
#include "control/policy/written.hpp"

#include <fmt/format.h>

namespace sekisho::policy {

auto name_of_source(const std::filesystem::path& file, const std::string& label) -> std::string {
  return label.empty() ? file.string() : fmt::format("{}: route {}", file.string(), label);
}

auto written_at(const Policy& policy, const route::Route& route) -> std::string {
  const auto file = policy.file_sources.find(route.source);
  if (file == policy.file_sources.end()) {
    const auto place = policy.config.at(route.line);
    return place.line == 0 ? policy.names[route.source]
                           : fmt::format("{}:{}", place.file.string(), place.line);
  }
  const auto source = name_of_source(file->second.file, file->second.label);
  return route.line == 0 ? source : fmt::format("{}:{}", source, route.line);
}

}  // namespace sekisho::policy
