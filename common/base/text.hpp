// SPDX-License-Identifier: BSD-3-Clause
// Text as it comes from people: shown in a message, compared, and guessed at when it is misspelt. ASCII alone.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace sekisho::base {

[[nodiscard]] constexpr char lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

// For messages: in quotes, short, and without bytes that a terminal or a log would take amiss.
[[nodiscard]] auto in_quotes(std::string_view text) -> std::string;

[[nodiscard]] bool equal_without_case(std::string_view a, std::string_view b) noexcept;

// "; did you mean "device"?", or nothing when no candidate is close.
[[nodiscard]] auto suggestion(std::string_view word, std::span<const std::string_view> candidates)
    -> std::string;

}  // namespace sekisho::base
