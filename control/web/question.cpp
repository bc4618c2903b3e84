// SPDX-License-Identifier: BSD-3-Clause
#include "control/web/question.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <map>
#include <optional>
#include <utility>

#include "common/base/text.hpp"

namespace sekisho::web {
namespace {

using std::chrono::milliseconds;

constexpr std::string_view api = "/api/v1/";
constexpr std::string_view explain = "explain";
constexpr milliseconds moment{500};

// Of `sekisho show`; and "events" and "rates", which only a browser asks.
constexpr std::array<std::string_view, 11> shown{"state", "ports",      "next-hops", "zones",
                                                 "drops", "last-drops", "stats",     "neighbours",
                                                 "bgp",   "events",     "rates"};

// What `explain` is asked, and what the request calls it.
struct Key {
  std::string_view name;
  std::string_view member;
  bool is_number = false;
};
constexpr std::array keys{Key{"from", "source"},
                          Key{"to", "destination"},
                          Key{"port", "port"},
                          Key{"protocol", "protocol"},
                          Key{"source_port", "source_port", true},
                          Key{"destination_port", "destination_port", true}};

// RFC 3986, 2.1; and the "+" that forms put in place of a space.
auto decoded(std::string_view text) -> std::optional<std::string> {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      result += text[i] == '+' ? ' ' : text[i];
      continue;
    }
    unsigned byte = 0;
    const auto* const first = text.data() + i + 1;
    if (text.size() - i < 3 || std::from_chars(first, first + 2, byte, 16).ptr != first + 2) {
      return std::nullopt;
    }
    result += static_cast<char>(byte);
    i += 2;
  }
  return result;
}

auto number(std::string_view text) -> std::optional<std::int64_t> {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} && end == text.data() + text.size() ? std::optional(value) : std::nullopt;
}

// One "name=value" as a member of `request`.
auto read_part(std::string_view part, Json& request) -> tl::expected<void, std::string> {
  const auto equals = std::min(part.find('='), part.size());
  const auto name = decoded(part.substr(0, equals));
  const auto value = decoded(part.substr(std::min(equals + 1, part.size())));
  if (!name || !value) {
    return tl::unexpected(fmt::format("{} is no part of a query", base::in_quotes(part)));
  }
  const auto key = std::ranges::find(keys, *name, &Key::name);
  if (key == keys.end()) {
    std::array<std::string_view, keys.size()> known;
    std::ranges::transform(keys, known.begin(), &Key::name);
    return tl::unexpected(fmt::format("there is no {} to explain by{}", base::in_quotes(*name),
                                      base::suggestion(*name, known)));
  }
  if (value->empty()) {
    return {};  // a form's field that nobody filled in
  }
  if (!key->is_number) {
    request[key->member] = *value;
    return {};
  }
  const auto is = number(*value);
  if (!is) {
    return tl::unexpected(fmt::format("{} is no number: {}", key->name, base::in_quotes(*value)));
  }
  request[key->member] = *is;
  return {};
}

auto read_explain(std::string_view query) -> tl::expected<Question, std::string> {
  Json request{{"command", "explain"}};
  while (!query.empty()) {
    const auto end = std::min(query.find('&'), query.size());
    if (auto read = read_part(query.substr(0, end), request); !read) {
      return tl::unexpected(std::move(read.error()));
    }
    query.remove_prefix(std::min(end + 1, query.size()));
  }
  for (const auto* needed : {"source", "destination"}) {
    if (!request.contains(needed)) {
      return tl::unexpected<std::string>(
          "\"from\" and \"to\" are needed, such as ?from=172.16.0.10&to=1.1.1.1");
    }
  }
  return Question{.request = std::move(request)};
}

}  // namespace

std::vector<std::string> question_paths() {
  std::vector<std::string> paths;
  for (const auto& each : shown) {
    paths.push_back(fmt::format("{}{}", api, each));
  }
  paths.push_back(fmt::format("{}{}", api, explain));
  return paths;
}

auto read_question(std::string_view path, std::string_view query) -> tl::expected<Question, std::string> {
  const auto name = path.starts_with(api) ? path.substr(api.size()) : std::string_view{};
  if (name == explain) {
    return read_explain(query);
  }
  const auto found = std::ranges::find(shown, name);
  if (found == shown.end()) {
    return tl::unexpected(fmt::format("there is no {}", base::in_quotes(path)));
  }
  return Question{.request = {{"command", "show"}, {"what", *found}}, .fresh = moment};
}

}  // namespace sekisho::web
