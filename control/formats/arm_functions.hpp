// SPDX-License-Identifier: BSD-3-Clause
// Those functions of ARM templates that need nothing but their arguments, as Microsoft documents them. A text's characters
// are .NET's: what counts or cuts them takes ASCII alone.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

#include "control/formats/json.hpp"

namespace sekisho::formats {

struct TemplateFunction {
  std::string_view name;  // in small letters
  std::size_t least = 0;  // arguments
  std::size_t most = 0;
  // A letter for each, of which the last counts for the rest, too: a text (s), whole number (n), boolean (b), array (a),
  // object (o), text or array (l), number or array (m), text, number or boolean (v), array, object or null (e), one of
  // these or a text (c), anything (*).
  std::string_view takes;
  // Looks at what its arguments are and hold, and not at the values in them: those need not be known.
  bool of_shape = false;
  // nullopt: it is not given what it takes, or what is not worked out here.
  std::optional<Json> (*call)(std::span<const Json> arguments) = nullptr;
};

// By its name in small letters; null: there is none here.
[[nodiscard]] const TemplateFunction* find_template_function(std::string_view name) noexcept;
// As many arguments as it takes, of the types that it takes.
[[nodiscard]] bool is_given_right(const TemplateFunction& function, std::span<const Json> arguments) noexcept;
// Whether Azure answers it, or whoever deploys: what is there already, who asks, when.
[[nodiscard]] bool asks_deployment(std::string_view name) noexcept;

// No function makes a longer text: a short one may be put together often.
inline constexpr std::size_t longest_text = 1 << 16;

}  // namespace sekisho::formats
