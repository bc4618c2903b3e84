// SPDX-License-Identifier: BSD-3-Clause
// A value that only a deployment knows. JSON's text holds no binary values, so that in a document one can stand for it
// without being mistaken for anything else.
#pragma once

#include <string>
#include <string_view>

#include "control/formats/json.hpp"

namespace sekisho::formats {

// `expression` as the template has it, "[parameters('x')]"; `reason`: why it has no value yet.
[[nodiscard]] auto make_unknown(std::string_view expression, std::string_view reason) -> Json;
[[nodiscard]] bool is_unknown(const Json& value) noexcept;
// The first one in a value, which may be it; null: all is known. Recursive.
[[nodiscard]] const Json* find_unknown(const Json& value);
[[nodiscard]] auto unknown_expression(const Json& unknown) -> std::string;
// `"[parameters('x')]" is known to a deployment only (parameter "x" has no value)`
[[nodiscard]] auto unknown_reason(const Json& unknown) -> std::string;

}  // namespace sekisho::formats
