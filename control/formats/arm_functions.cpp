// SPDX-License-Identifier: BSD-3-Clause
#include "control/formats/arm_functions.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "common/base/text.hpp"
#include "control/formats/arm_networks.hpp"
#include "control/formats/arm_texts.hpp"
#include "control/formats/arm_value.hpp"

namespace sekisho::formats {
namespace {

using Answer = std::optional<Json>;
using Arguments = std::span<const Json>;

auto whole_number(const Json& value) -> std::optional<std::int64_t> {
  if (!value.is_number_integer() ||
      (value.is_number_unsigned() && value.get<std::uint64_t>() > std::uint64_t{INT64_MAX}))
    return std::nullopt;
  return value.get<std::int64_t>();
}

template <auto operation>
auto calculate(Arguments of) -> Answer {
  const auto a = whole_number(of[0]);
  const auto b = whole_number(of[1]);
  std::int64_t result = 0;
  if (!a || !b || !operation(*a, *b, result))
    return std::nullopt;
  return result;
}

template <auto holds>
auto compare(Arguments of) -> Answer {
  const auto a = whole_number(of[0]);
  const auto b = whole_number(of[1]);
  if (!a || !b)
    return std::nullopt;
  return Json(holds(*a, *b));
}

// max(1, 2) and max(createArray(1, 2))
template <bool greatest>
auto extreme(Arguments of) -> Answer {
  if (of.size() == 1 && of[0].is_array() && !of[0].empty()) {
    const std::vector<Json> list(of[0].begin(), of[0].end());
    return extreme<greatest>(list);
  }
  std::optional<std::int64_t> result;
  for (const auto& each : of) {
    const auto number = whole_number(each);
    if (!number)
      return std::nullopt;
    if (!result || (*number > *result) == greatest)
      result = number;
  }
  return Json(*result);
}

auto length_of(const Json& of) -> std::optional<std::size_t> {
  if (of.is_string())
    return is_ascii(of) ? std::optional{of.get_ref<const std::string&>().size()} : std::nullopt;
  return of.is_structured() || of.is_null() ? std::optional{of.size()} : std::nullopt;
}

auto empty(Arguments of) -> Answer {
  if (of[0].is_string())
    return Json(of[0].get_ref<const std::string&>().empty());
  const auto size = length_of(of[0]);
  return size ? Answer{*size == 0} : std::nullopt;
}
auto length(Arguments of) -> Answer {
  const auto size = length_of(of[0]);
  return size ? Answer{*size} : std::nullopt;
}

// "The string comparison is case-sensitive. However, when testing if an object contains a key, the comparison is
// case-insensitive."
auto contains(Arguments of) -> Answer {
  if (of[0].is_array()) {
    if (std::ranges::find(of[0], of[1]) != of[0].end())
      return true;
    const auto* unknown = find_unknown(of[0]);
    return unknown == nullptr ? Json(false) : *unknown;
  }
  if (!of[1].is_string())
    return std::nullopt;
  const auto& what = of[1].get_ref<const std::string&>();
  if (of[0].is_string())
    return Json(of[0].get_ref<const std::string&>().find(what) != std::string::npos);
  if (of[0].is_object())
    return Json(find_member(of[0], what) != nullptr);
  return std::nullopt;
}

// Null where there is none; of several keys, each in what the one before gave.
auto try_get(Arguments of) -> Answer {
  const auto* from = of.data();
  for (const auto& key : of.subspan(1)) {
    if (const auto* unknown = find_unknown_shape(*from))
      return *unknown;
    const Json* found = nullptr;
    if (from->is_object() && key.is_string())
      found = find_member(*from, key.get_ref<const std::string&>());
    else if (const auto index = whole_number(key); from->is_array() && index && *index >= 0)
      found = static_cast<std::uint64_t>(*index) < from->size() ? &(*from)[static_cast<std::size_t>(*index)]
                                                                : nullptr;
    else if (!from->is_null())
      return std::nullopt;
    if (found == nullptr)
      return Json{};
    from = found;
  }
  return *from;
}

template <bool last>
auto end_of(Arguments of) -> Answer {
  if (of[0].is_string() && is_ascii(of[0]) && !of[0].get_ref<const std::string&>().empty()) {
    const auto& text = of[0].get_ref<const std::string&>();
    return Json(std::string(1, last ? text.back() : text.front()));
  }
  if (!of[0].is_array() || of[0].empty())
    return std::nullopt;
  return last ? of[0].back() : of[0].front();
}

// "If this value is 0 or less, an empty array or string is returned. If it's larger than the length of the given array or
// string, all the elements in the array or string are returned."
template <bool behind>
auto part(Arguments of) -> Answer {
  const auto count = whole_number(of[1]);
  const auto size = of[0].is_object() ? std::nullopt : length_of(of[0]);
  if (!count || !size || of[0].is_null())
    return std::nullopt;
  const auto cut = std::min(static_cast<std::size_t>(std::max<std::int64_t>(*count, 0)), *size);
  if (of[0].is_string()) {
    const auto& text = of[0].get_ref<const std::string&>();
    return Json(behind ? text.substr(cut) : text.substr(0, cut));
  }
  const auto middle = of[0].begin() + static_cast<std::ptrdiff_t>(cut);
  auto result = Json::array();
  std::copy(behind ? middle : of[0].begin(), behind ? of[0].end() : middle, std::back_inserter(result));
  return result;
}

// "The sum of startIndex and count must be no greater than 2147483647. ... Must be non-negative integer up to 10000."
auto range(Arguments of) -> Answer {
  constexpr std::int64_t most = 10000;
  const auto first = whole_number(of[0]);
  const auto count = whole_number(of[1]);
  if (!first || !count || *count < 0 || *count > most || *first > INT32_MAX - *count || *first < INT32_MIN)
    return std::nullopt;
  auto result = Json::array();
  for (std::int64_t i = 0; i < *count; ++i)
    result.push_back(*first + i);
  return result;
}

auto flatten(Arguments of) -> Answer {
  if (!of[0].is_array() || !std::ranges::all_of(of[0], &Json::is_array))
    return std::nullopt;
  auto result = Json::array();
  for (const auto& list : of[0])
    for (const auto& each : list)
      result.push_back(each);
  return result;
}

// Sorted by their names, as Json is.
auto items(Arguments of) -> Answer {
  if (!of[0].is_object())
    return std::nullopt;
  auto result = Json::array();
  for (const auto& [key, value] : of[0].items())
    result.push_back({{"key", key}, {"value", value}});
  return result;
}

auto int_of(Arguments of) -> Answer {
  if (whole_number(of[0]))
    return of[0];
  if (!of[0].is_string())
    return std::nullopt;
  const auto& text = of[0].get_ref<const std::string&>();
  std::int64_t result = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), result);
  return code == std::errc{} && end == text.data() + text.size() ? Answer{result} : std::nullopt;
}

auto bool_of(Arguments of) -> Answer {
  if (of[0].is_boolean())
    return of[0];
  if (const auto number = whole_number(of[0]))
    return Json(*number != 0);
  for (const auto* word : {"false", "true"})
    if (of[0].is_string() && base::equal_without_case(of[0].get_ref<const std::string&>(), word))
      return Json(std::string_view{word} == "true");
  return std::nullopt;
}

auto parsed(Arguments of) -> Answer {
  if (!of[0].is_string())
    return std::nullopt;
  auto result = parse_json(of[0].get_ref<const std::string&>(), "");
  return result ? Answer{std::move(*result)} : std::nullopt;
}

template <bool value>
auto constant(Arguments /*of*/) -> Answer {
  return Json(value);
}

constexpr std::size_t any = SIZE_MAX;
constexpr auto add = [](std::int64_t a, std::int64_t b, std::int64_t& r) {
  return !__builtin_add_overflow(a, b, &r);
};
constexpr auto sub = [](std::int64_t a, std::int64_t b, std::int64_t& r) {
  return !__builtin_sub_overflow(a, b, &r);
};
constexpr auto mul = [](std::int64_t a, std::int64_t b, std::int64_t& r) {
  return !__builtin_mul_overflow(a, b, &r);
};
constexpr auto is_divisible = [](std::int64_t a, std::int64_t b) {
  return b != 0 && !(a == INT64_MIN && b == -1);
};
constexpr auto divide = [](std::int64_t a, std::int64_t b, std::int64_t& r) {
  return is_divisible(a, b) && ((r = a / b), true);
};
constexpr auto mod = [](std::int64_t a, std::int64_t b, std::int64_t& r) {
  return is_divisible(a, b) && ((r = a % b), true);
};

bool is_of(char kind, const Json& value) {
  switch (kind) {
    case 's':
      return value.is_string();
    case 'n':
      return value.is_number_integer();
    case 'b':
      return value.is_boolean();
    case 'a':
      return value.is_array();
    case 'o':
      return value.is_object();
    case 'l':
      return value.is_string() || value.is_array();
    case 'm':
      return value.is_number_integer() || value.is_array();
    case 'v':
      return value.is_string() || value.is_number_integer() || value.is_boolean();
    case 'e':
      return value.is_structured() || value.is_null();
    case 'c':
      return value.is_structured() || value.is_null() || value.is_string();
    default:
      return true;
  }
}

constexpr std::array functions{
    TemplateFunction{"true", 0, 0, "", false, constant<true>},
    TemplateFunction{"false", 0, 0, "", false, constant<false>},
    TemplateFunction{"null", 0, 0, "", false, [](Arguments /*of*/) -> Answer { return Json{}; }},
    // logic and numbers
    TemplateFunction{"equals", 2, 2, "**", false,
                     [](Arguments of) -> Answer { return Json(of[0] == of[1]); }},
    TemplateFunction{"not", 1, 1, "b", false,
                     [](Arguments of) -> Answer {
                       return of[0].is_boolean() ? Answer{!of[0].get<bool>()} : std::nullopt;
                     }},
    TemplateFunction{"bool", 1, 1, "v", false, bool_of},
    TemplateFunction{"int", 1, 1, "v", false, int_of},
    TemplateFunction{"add", 2, 2, "nn", false, calculate<add>},
    TemplateFunction{"sub", 2, 2, "nn", false, calculate<sub>},
    TemplateFunction{"mul", 2, 2, "nn", false, calculate<mul>},
    TemplateFunction{"div", 2, 2, "nn", false, calculate<divide>},
    TemplateFunction{"mod", 2, 2, "nn", false, calculate<mod>},
    TemplateFunction{"less", 2, 2, "vv", false, compare<std::less{}>},
    TemplateFunction{"lessorequals", 2, 2, "vv", false, compare<std::less_equal{}>},
    TemplateFunction{"greater", 2, 2, "vv", false, compare<std::greater{}>},
    TemplateFunction{"greaterorequals", 2, 2, "vv", false, compare<std::greater_equal{}>},
    TemplateFunction{"min", 1, any, "m", false, extreme<false>},
    TemplateFunction{"max", 1, any, "m", false, extreme<true>},
    // arrays and objects
    TemplateFunction{"array", 1, 1, "*", true,
                     [](Arguments of) -> Answer { return of[0].is_array() ? of[0] : Json::array({of[0]}); }},
    TemplateFunction{"contains", 2, 2, "c*", true, contains},
    TemplateFunction{"empty", 1, 1, "c", true, empty},
    TemplateFunction{"length", 1, 1, "c", true, length},
    TemplateFunction{"first", 1, 1, "l", true, end_of<false>},
    TemplateFunction{"last", 1, 1, "l", true, end_of<true>},
    TemplateFunction{"take", 2, 2, "ln", true, part<false>},
    TemplateFunction{"skip", 2, 2, "ln", true, part<true>},
    TemplateFunction{"range", 2, 2, "nn", false, range},
    TemplateFunction{"flatten", 1, 1, "a", false, flatten},
    TemplateFunction{"items", 1, 1, "o", true, items},
    TemplateFunction{"tryget", 2, any, "e*", true, try_get},
    TemplateFunction{"json", 1, 1, "s", false, parsed},
    // texts
    TemplateFunction{"string", 1, 1, "*", false, string_of},
    TemplateFunction{"format", 1, any, "s*", false, format_text},
    TemplateFunction{"split", 2, 2, "sl", false, split_text},
    TemplateFunction{"join", 2, 2, "as", false, join_texts},
    TemplateFunction{"replace", 3, 3, "sss", false, replace_text},
    TemplateFunction{"substring", 2, 3, "sn", false, substring},
    TemplateFunction{"indexof", 2, 2, "ss", false, index_of},
    TemplateFunction{"startswith", 2, 2, "ss", false, starts_with},
    TemplateFunction{"endswith", 2, 2, "ss", false, ends_with},
    TemplateFunction{"tolower", 1, 1, "s", false, lower_text},
    TemplateFunction{"toupper", 1, 1, "s", false, upper_text},
    TemplateFunction{"trim", 1, 1, "s", false, trim_text},
    // networks
    TemplateFunction{"cidrhost", 2, 2, "sn", false, cidr_host},
    TemplateFunction{"cidrsubnet", 3, 3, "snn", false, cidr_subnet},
    TemplateFunction{"parsecidr", 1, 1, "s", false, parse_cidr},
};

constexpr std::array of_deployments{
    "deployer",
    "deployment",
    "extensionresourceid",
    "getsecret",
    "guid",
    "list",
    "listaccountsas",
    "listkeys",
    "listsecrets",
    "managementgroup",
    "newguid",
    "pickzones",
    "providers",
    "reference",
    "references",
    "resourcegroup",
    "resourceid",
    "managementgroupresourceid",
    "subscription",
    "subscriptionresourceid",
    "tenant",
    "tenantresourceid",
    "uniquestring",
    "utcnow",
};

}  // namespace

const TemplateFunction* find_template_function(std::string_view name) noexcept {
  const auto* const found = std::ranges::find(functions, name, &TemplateFunction::name);
  return found == functions.end() ? nullptr : found;
}

bool is_given_right(const TemplateFunction& function, std::span<const Json> arguments) noexcept {
  if (arguments.size() < function.least || arguments.size() > function.most)
    return false;
  for (std::size_t i = 0; i < arguments.size(); ++i)
    if (!is_of(function.takes[std::min(i, function.takes.size() - 1)], arguments[i]))
      return false;
  return true;
}

bool asks_deployment(std::string_view name) noexcept {
  return std::ranges::find(of_deployments, name) != of_deployments.end();
}

}  // namespace sekisho::formats
