// SPDX-License-Identifier: BSD-3-Clause
#include "control/history/entry.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace sekisho::history {
namespace {

using Json = nlohmann::ordered_json;

bool is_entry(const Json& json) {
  const auto number = [&](const char* name) {
    return json.contains(name) && json[name].is_number_unsigned();
  };
  return json.is_object() && number("ran_unix_ms") && json.contains("cause") && json["cause"].is_string() &&
         json.contains("files") && json["files"].is_array() && !json["files"].empty() &&
         std::ranges::all_of(json["files"], [](const Json& file) {
           return file.is_string() && std::filesystem::path(file.get<std::string>()).is_absolute();
         });
}

}  // namespace

auto beneath(const std::filesystem::path& root, const std::filesystem::path& file) -> std::filesystem::path {
  return root / file.lexically_normal().relative_path();
}

auto to_text(const Entry& entry) -> std::string {
  Json json{{"ran_unix_ms", entry.ran_unix_ms}, {"cause", entry.cause}};
  auto& files = json["files"] = Json::array();
  for (const auto& file : entry.files) {
    files.push_back(file.native());
  }
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

auto parse_entry(std::string_view text) -> tl::expected<Entry, std::string> {
  const auto json = Json::parse(text, nullptr, false);
  if (!is_entry(json)) {
    return tl::unexpected(std::string{"is no entry of the history"});
  }
  Entry entry{.number = 0, .ran_unix_ms = json["ran_unix_ms"], .cause = json["cause"], .files = {}};
  for (const auto& file : json["files"]) {
    entry.files.emplace_back(file.get<std::string>());
  }
  return entry;
}

}  // namespace sekisho::history
