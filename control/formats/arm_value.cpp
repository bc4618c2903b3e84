// SPDX-License-Identifier: BSD-3-Clause
#include "control/formats/arm_value.hpp"

#include <fmt/format.h>

#include "common/base/text.hpp"

namespace sekisho::formats {
namespace {

// Between the two texts of an unknown value.
constexpr char separator = '\0';

auto text_of(const Json& unknown) -> std::string {
  const auto& bytes = unknown.get_binary();
  return {bytes.begin(), bytes.end()};
}

}  // namespace

auto make_unknown(std::string_view expression, std::string_view reason) -> Json {
  std::string text{expression.substr(0, expression.find(separator))};
  text += separator;
  text += reason;
  return Json::binary({text.begin(), text.end()});
}

bool is_unknown(const Json& value) noexcept {
  return value.is_binary();
}

const Json* find_unknown(const Json& value) {
  if (is_unknown(value))
    return &value;
  if (!value.is_structured())
    return nullptr;
  for (const auto& element : value)
    if (const auto* unknown = find_unknown(element))
      return unknown;
  return nullptr;
}

auto unknown_expression(const Json& unknown) -> std::string {
  const auto text = text_of(unknown);
  return text.substr(0, text.find(separator));
}

auto unknown_reason(const Json& unknown) -> std::string {
  const auto text = text_of(unknown);
  const auto end = text.find(separator);
  const auto what = end == 0 ? "what stands here" : base::in_quotes(text.substr(0, end));
  return fmt::format("{} is known to a deployment only ({})", what, text.substr(end + 1));
}

}  // namespace sekisho::formats
