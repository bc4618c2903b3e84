// SPDX-License-Identifier: BSD-3-Clause
#include "control/formats/arm_texts.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "control/formats/arm_functions.hpp"

namespace sekisho::formats {
namespace {

using Answer = std::optional<Json>;
using Arguments = std::span<const Json>;

bool are_texts(Arguments arguments) {
  return std::ranges::all_of(arguments, &Json::is_string);
}
auto text(const Json& value) -> const std::string& {
  return value.get_ref<const std::string&>();
}

// What .NET calls upper case beyond ASCII is more than is known here.
template <auto change>
auto changed(Arguments of) -> Answer {
  if (!of[0].is_string() || !is_ascii(of[0]))
    return std::nullopt;
  auto result = text(of[0]);
  std::ranges::transform(result, result.begin(), change);
  return result;
}

struct Delimiter {
  std::string_view text;
  std::size_t next;  // where it stands; npos: nowhere
};

// Where the first of the delimiters stands, from `begin`; behind the end: nowhere. Each is looked for once a place.
auto find_delimiter(std::string_view in, std::vector<Delimiter>& delimiters, std::size_t begin)
    -> std::pair<std::size_t, std::size_t> {
  std::pair<std::size_t, std::size_t> result{std::string_view::npos, 0};
  for (auto& delimiter : delimiters) {
    if (delimiter.next < begin)
      delimiter.next = in.find(delimiter.text, begin);
    if (delimiter.next < result.first)
      result = {delimiter.next, delimiter.text.size()};
  }
  return result;
}

// "The comparison is case-insensitive", of all three.
auto find_without_case(Arguments of) -> std::optional<std::pair<std::string, std::string>> {
  if (!are_texts(of) || !is_ascii(of[0]) || !is_ascii(of[1]))
    return std::nullopt;
  return std::pair{lower_case(text(of[0])), lower_case(text(of[1]))};
}

}  // namespace

bool is_ascii(const Json& value) noexcept {
  return std::ranges::all_of(text(value), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

// How Azure writes a boolean or nothing, no page says.
auto string_of(Arguments of) -> Answer {
  if (of[0].is_string())
    return of[0];
  if (!of[0].is_number_integer() && !of[0].is_structured())
    return std::nullopt;
  auto result = of[0].dump(-1, ' ', false, Json::error_handler_t::replace);
  return result.size() <= longest_text ? Answer{std::move(result)} : std::nullopt;
}

// "{0}" and "{1}" in a text; a format specification ("{0:N}") is more than is understood.
auto format_text(Arguments of) -> Answer {
  if (!of[0].is_string())
    return std::nullopt;
  const auto& pattern = text(of[0]);
  std::string result;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    const char c = pattern[i];
    if (result.size() > longest_text)
      return std::nullopt;
    const bool is_doubled = i + 1 < pattern.size() && pattern[i + 1] == c;
    if ((c == '{' || c == '}') && is_doubled) {
      result += c;
      ++i;
    } else if (c == '{') {
      std::size_t number = 0;
      const auto [end, code] =
          std::from_chars(pattern.data() + i + 1, pattern.data() + pattern.size(), number);
      i = static_cast<std::size_t>(end - pattern.data());
      if (code != std::errc{} || number + 1 >= of.size() || i >= pattern.size() || pattern[i] != '}')
        return std::nullopt;
      const auto& argument = of[number + 1];
      if (argument.is_string())
        result += text(argument);
      else if (argument.is_number_integer())
        result += argument.dump();
      else
        return std::nullopt;
    } else if (c == '}') {
      return std::nullopt;
    } else {
      result += c;
    }
  }
  return result;
}

// At one delimiter, or at any of several; between two of them is an empty text.
auto split_text(Arguments of) -> Answer {
  const bool several = of[1].is_array();
  if (!of[0].is_string() || (!several && !of[1].is_string()) ||
      (several && !std::ranges::all_of(of[1], &Json::is_string)))
    return std::nullopt;
  const std::string_view whole = text(of[0]);
  std::vector<Delimiter> delimiters;
  for (std::size_t i = 0; i < (several ? of[1].size() : 1); ++i) {
    const std::string_view delimiter = text(several ? of[1][i] : of[1]);
    if (delimiter.empty())
      return std::nullopt;
    delimiters.push_back({delimiter, whole.find(delimiter)});
  }
  if (delimiters.empty())
    return std::nullopt;
  auto result = Json::array();
  for (std::size_t begin = 0;;) {
    const auto [at, size] = find_delimiter(whole, delimiters, begin);
    result.push_back(whole.substr(begin, at == std::string_view::npos ? at : at - begin));
    if (at == std::string_view::npos)
      return result;
    begin = at + size;
  }
}

auto join_texts(Arguments of) -> Answer {
  if (!of[0].is_array() || !std::ranges::all_of(of[0], &Json::is_string) || !of[1].is_string())
    return std::nullopt;
  std::string result;
  for (std::size_t i = 0; i < of[0].size() && result.size() <= longest_text; ++i)
    result += (i == 0 ? "" : text(of[1])) + text(of[0][i]);
  return result.size() <= longest_text ? Answer{std::move(result)} : std::nullopt;
}

auto replace_text(Arguments of) -> Answer {
  if (!are_texts(of) || text(of[1]).empty())
    return std::nullopt;
  const auto& whole = text(of[0]);
  std::string result;
  for (std::size_t begin = 0; result.size() <= longest_text;) {
    const auto at = whole.find(text(of[1]), begin);
    result += whole.substr(begin, at == std::string::npos ? at : at - begin);
    if (at == std::string::npos)
      break;
    result += text(of[2]);
    begin = at + text(of[1]).size();
  }
  return result.size() <= longest_text ? Answer{std::move(result)} : std::nullopt;
}

// "The function fails when the substring extends beyond the end of the string, or when length is less than zero."
auto substring(Arguments of) -> Answer {
  if (!of[0].is_string() || !is_ascii(of[0]) || !std::ranges::all_of(of.subspan(1), &Json::is_number_integer))
    return std::nullopt;
  const auto& whole = text(of[0]);
  const auto size = static_cast<std::int64_t>(whole.size());
  const auto begin = of[1].get<std::int64_t>();
  if (begin < 0 || begin > size)
    return std::nullopt;
  const auto count = of.size() == 3 ? of[2].get<std::int64_t>() : size - begin;
  if (count < 0 || count > size - begin)
    return std::nullopt;
  return whole.substr(static_cast<std::size_t>(begin), static_cast<std::size_t>(count));
}

auto index_of(Arguments of) -> Answer {
  const auto texts = find_without_case(of);
  if (!texts)
    return std::nullopt;
  const auto at = texts->first.find(texts->second);
  return at == std::string::npos ? Json(-1) : Json(at);
}
auto starts_with(Arguments of) -> Answer {
  const auto texts = find_without_case(of);
  return texts ? Answer{texts->first.starts_with(texts->second)} : std::nullopt;
}
auto ends_with(Arguments of) -> Answer {
  const auto texts = find_without_case(of);
  return texts ? Answer{texts->first.ends_with(texts->second)} : std::nullopt;
}

auto lower_text(Arguments of) -> Answer {
  return changed<[](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }>(of);
}
auto upper_text(Arguments of) -> Answer {
  return changed<[](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }>(of);
}

auto trim_text(Arguments of) -> Answer {
  constexpr std::string_view blanks = " \t\r\n\v\f";
  if (!of[0].is_string() || !is_ascii(of[0]))
    return std::nullopt;
  const auto& whole = text(of[0]);
  const auto begin = std::min(whole.find_first_not_of(blanks), whole.size());
  return whole.substr(begin, whole.find_last_not_of(blanks) + 1 - begin);
}

}  // namespace sekisho::formats
