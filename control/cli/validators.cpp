// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <algorithm>

#include "common/base/prefix.hpp"
#include "control/cli/command.hpp"
#include "control/serve/reasons.hpp"

namespace sekisho::cli {

CLI::Validator is_address() {
  return {[](std::string& text) {
            const auto parsed = base::parse_address(text);
            return parsed ? std::string{} : parsed.error();
          },
          ""};
}

CLI::Validator is_address_or_dash() {
  return {[](std::string& text) {
            const auto parsed = base::parse_address(text);
            return parsed || text == "-" ? std::string{} : parsed.error();
          },
          ""};
}

CLI::Validator is_prefix() {
  return {[](std::string& text) {
            const auto parsed = base::parse_prefix(text);
            return parsed ? std::string{} : parsed.error();
          },
          ""};
}

CLI::Validator is_address_or_prefix() {
  return {[](std::string& text) {
            const bool has_length = text.find('/') != std::string::npos;
            const auto prefix = base::parse_prefix(has_length ? text : text + "/32");
            return prefix ? std::string{} : prefix.error();
          },
          ""};
}

CLI::Validator is_drop_reason() {
  return {[](std::string& reason) {
            const auto all = serve::dataplane_reasons();
            return std::ranges::find(all, reason) != all.end()
                       ? std::string{}
                       : fmt::format("no reason is called {}; `sekisho show drops --all` lists them", reason);
          },
          ""};
}

auto words_of(std::string_view list) -> std::vector<std::string> {
  std::vector<std::string> result;
  while (!list.empty()) {
    const auto comma = list.find(',');
    result.emplace_back(list.substr(0, comma));
    list.remove_prefix(comma == std::string_view::npos ? list.size() : comma + 1);
  }
  return result;
}

CLI::Validator in_seconds() {
  return CLI::AsNumberWithUnit(std::map<std::string, double>{{"s", 1}, {"m", 60}, {"h", 3600}},
                               CLI::AsNumberWithUnit::CASE_SENSITIVE, "DURATION");
}

CLI::Validator is_prefix_list() {
  return {[](std::string& text) {
            for (const auto& word : words_of(text)) {
              if (const auto parsed = base::parse_prefix(word); !parsed) {
                return parsed.error();
              }
            }
            return std::string{};
          },
          ""};
}

auto prefixes_of(std::string_view list) -> std::vector<base::Prefix> {
  std::vector<base::Prefix> result;
  for (const auto& word : words_of(list)) {
    result.push_back(base::parse_prefix(word).value());
  }
  return result;
}

}  // namespace sekisho::cli
