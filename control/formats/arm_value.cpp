// SPDX-License-Identifier: BSD-3-Clause
#include "control/formats/arm_value.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "common/base/text.hpp"

namespace sekisho::formats {
namespace {

// Between the two texts of an unknown value.
constexpr char separator = '\0';
// In its subtype, beside a Lack.
constexpr std::uint64_t many = 0x100;

auto text_of(const Json& unknown) -> std::string {
  const auto& bytes = unknown.get_binary();
  return {bytes.begin(), bytes.end()};
}

bool is_many(const Json& value) noexcept {
  return value.is_binary() && (value.get_binary().subtype() & many) != 0;
}

auto who_knows(const Json& unknown) -> std::string_view {
  switch (static_cast<Lack>(unknown.get_binary().subtype() & ~many)) {
    case Lack::deployment:
      return "is known to a deployment only";
    case Lack::here:
      return "is not evaluated here";
    case Lack::nobody:
      return "has no value";
  }
  return "";
}

}  // namespace

auto make_unknown(std::string_view expression, std::string_view reason, Lack lack) -> Json {
  std::string text{expression.substr(0, expression.find(separator))};
  text += separator;
  text += reason;
  return Json::binary({text.begin(), text.end()}, static_cast<std::uint64_t>(lack));
}

bool is_unknown(const Json& value) noexcept {
  return value.is_binary();
}

auto any_number_of(const Json& unknown) -> Json {
  auto result = unknown;
  result.get_binary().set_subtype(unknown.get_binary().subtype() | many);
  return result;
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

const Json* find_unknown_shape(const Json& value) {
  if (is_unknown(value))
    return &value;
  if (!value.is_array())
    return nullptr;
  const auto found = std::ranges::find_if(value, is_many);
  return found == value.end() ? nullptr : &*found;
}

auto unknown_expression(const Json& unknown) -> std::string {
  const auto text = text_of(unknown);
  return text.substr(0, text.find(separator));
}

auto unknown_reason(const Json& unknown) -> std::string {
  const auto text = text_of(unknown);
  const auto end = text.find(separator);
  const auto what = end == 0 ? "what stands here" : base::in_quotes(text.substr(0, end));
  return fmt::format("{} {} ({})", what, who_knows(unknown), text.substr(end + 1));
}

}  // namespace sekisho::formats
