// SPDX-License-Identifier: BSD-3-Clause
// A value that is not known, and why not. JSON's text holds no binary values, so that in a document one can stand for it
// without being mistaken for anything else.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "control/formats/json.hpp"

namespace sekisho::formats {

// Who would have to say it.
enum class Lack : std::uint8_t {
  deployment,  // whoever deploys the template, or Azure as it does
  here,        // this program: it does not work everything out that Azure does
  nobody,      // nobody: a deployment would be refused
};

// `expression` as the template has it, "[parameters('x')]"; `reason`: why it has no value yet.
[[nodiscard]] auto make_unknown(std::string_view expression, std::string_view reason,
                                Lack lack = Lack::deployment) -> Json;
[[nodiscard]] bool is_unknown(const Json& value) noexcept;
// The same, as an element that stands for any number of them.
[[nodiscard]] auto any_number_of(const Json& unknown) -> Json;
// The first one in a value, which may be it; null: all is known. Recursive.
[[nodiscard]] const Json* find_unknown(const Json& value);
// The first one that keeps from knowing how many elements a value has, and which is which.
[[nodiscard]] const Json* find_unknown_shape(const Json& value);
[[nodiscard]] auto unknown_expression(const Json& unknown) -> std::string;
// `"[parameters('x')]" is known to a deployment only (parameter "x" has no value)`
[[nodiscard]] auto unknown_reason(const Json& unknown) -> std::string;

}  // namespace sekisho::formats
