// SPDX-License-Identifier: BSD-3-Clause
// Times as people write them: "500ms", "30s", "5m", "1h".
#pragma once

#include <array>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace sekisho::base {

namespace detail {
inline constexpr std::array<std::pair<std::string_view, std::int64_t>, 4> units{
    {{"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}}};
}  // namespace detail

// A whole number and its unit; nothing: it is no such text, or longer than a year.
[[nodiscard]] inline auto parse_duration(std::string_view text) -> std::optional<std::chrono::milliseconds> {
  constexpr std::int64_t longest = 366LL * 24 * 3'600'000;
  std::int64_t count = 0;
  const auto* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, count);
  if (error != std::errc{} || count < 0 || text.front() == '-')
    return std::nullopt;
  for (const auto& [unit, milliseconds] : detail::units)
    if (std::string_view{rest, end} == unit && count <= longest / milliseconds)
      return std::chrono::milliseconds{count * milliseconds};
  return std::nullopt;
}

// In the largest unit in which it is a whole number.
[[nodiscard]] inline auto to_string(std::chrono::milliseconds duration) -> std::string {
  for (auto unit = detail::units.rbegin(); unit != detail::units.rend(); ++unit)
    if (duration.count() != 0 && duration.count() % unit->second == 0)
      return std::to_string(duration.count() / unit->second) + std::string{unit->first};
  return std::to_string(duration.count()) + "ms";
}

}  // namespace sekisho::base
