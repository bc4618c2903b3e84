// SPDX-License-Identifier: BSD-3-Clause
// Functions of ARM templates that make and look into texts. nullopt: it is not given what it takes, or what is not worked
// out here.
#pragma once

#include <optional>
#include <span>

#include "control/formats/json.hpp"

namespace sekisho::formats {

// Of a text: whether its bytes are its characters.
[[nodiscard]] bool is_ascii(const Json& text) noexcept;

[[nodiscard]] auto string_of(std::span<const Json> arguments) -> std::optional<Json>;
[[nodiscard]] auto format_text(std::span<const Json> arguments) -> std::optional<Json>;
[[nodiscard]] auto split_text(std::span<const Json> arguments) -> std::optional<Json>;
[[nodiscard]] auto join_texts(std::span<const Json> arguments) -> std::optional<Json>;
[[nodiscard]] auto replace_text(std::span<const Json> arguments) -> std::optional<Json>;
[[nodiscard]] auto substring(std::span<const Json> arguments) -> std::optional<Json>;
[[nodiscard]] auto index_of(std::span<const Json> arguments) -> std::optional<Json>;
[[nodiscard]] auto starts_with(std::span<const Json> arguments) -> std::optional<Json>;
[[nodiscard]] auto ends_with(std::span<const Json> arguments) -> std::optional<Json>;
[[nodiscard]] auto lower_text(std::span<const Json> arguments) -> std::optional<Json>;
[[nodiscard]] auto upper_text(std::span<const Json> arguments) -> std::optional<Json>;
[[nodiscard]] auto trim_text(std::span<const Json> arguments) -> std::optional<Json>;

}  // namespace sekisho::formats
