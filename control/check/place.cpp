#include "control/check/place.hpp"

#include <fmt/format.h>

namespace sekisho::check {

auto place(const Facts& facts, const Table& table, const route::Route& route) -> std::string {
  const auto& source = (*table.names)[route.source];
  // Of a zone's route only a file's is a path; "[internet]" and the like are parts of the configuration.
  if (table.holder == Table::Holder::zone && !std::filesystem::path{source}.is_absolute())
    return place(facts, route.line);
  return route.line == 0 ? source : fmt::format("{}:{}", source, route.line);
}

auto place(const Facts& facts, unsigned line) -> std::string {
  return place(load::Error{facts.policy->config.file, line, {}, {}});
}

auto place(const load::Error& error) -> std::string {
  const auto file =
      error.line == 0 ? error.file.string() : fmt::format("{}:{}", error.file.string(), error.line);
  return error.path.empty() ? file : fmt::format("{}: {}", file, error.path);
}

}  // namespace sekisho::check
