// The words of a configuration: what a name and a device may look like, and what a misspelt one may have
// meant.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace sekisho::config {

// For messages: in quotes, short, and without bytes that a terminal or a log would take amiss.
[[nodiscard]] auto in_quotes(std::string_view text) -> std::string;

[[nodiscard]] bool equal_without_case(std::string_view a, std::string_view b) noexcept;

// "; did you mean "device"?", or nothing when no candidate is close.
[[nodiscard]] auto suggestion(std::string_view word, std::span<const std::string_view> candidates)
    -> std::string;

// Why a text cannot be what it should be, as half a sentence.
[[nodiscard]] auto refuse_name(std::string_view name) -> std::optional<std::string>;
[[nodiscard]] auto refuse_device(std::string_view device) -> std::optional<std::string>;
[[nodiscard]] auto refuse_netdev(std::string_view name) -> std::optional<std::string>;

// One device, one text: the hexadecimal digits of a MAC or bus address in small letters.
[[nodiscard]] auto normal_device(std::string device) -> std::string;

}  // namespace sekisho::config
