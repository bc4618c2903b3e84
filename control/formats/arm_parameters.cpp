// SPDX-License-Identifier: BSD-3-Clause
#include "control/formats/arm_parameters.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/text.hpp"
#include "control/formats/compression.hpp"

namespace sekisho::formats {
namespace {

using Held = tl::expected<void, base::Error>;

// "a string" for "string" and "secureString"; empty: no type that is known here.
auto wanted(const std::string& type) -> std::string_view {
  if (type == "string" || type == "securestring")
    return "a string";
  if (type == "int")
    return "a whole number";
  if (type == "bool")
    return "true or false";
  if (type == "array")
    return "an array";
  return type == "object" || type == "secureobject" ? "an object" : "";
}

bool is_of_type(const Json& value, const std::string& type) {
  if (type == "string" || type == "securestring")
    return value.is_string();
  if (type == "int")
    return value.is_number_integer();
  if (type == "bool")
    return value.is_boolean();
  if (type == "array")
    return value.is_array();
  return (type != "object" && type != "secureobject") || value.is_object();
}

// An array holds values of which each has to be allowed; Azure compares texts without regard to case.
bool is_allowed(const Json& value, const Json& allowed) {
  const auto is_one = [&](const Json& each) {
    return std::ranges::any_of(allowed, [&](const Json& other) {
      return each == other || (each.is_string() && other.is_string() &&
                               base::equal_without_case(each.get_ref<const std::string&>(),
                                                        other.get_ref<const std::string&>()));
    });
  };
  return is_one(value) || (value.is_array() && std::ranges::all_of(value, is_one));
}

class Holder {
 public:
  Holder(const std::filesystem::path& file, const Json& document)
      : file_(file), declared_(find_member(document, "parameters")) {}

  auto hold(const Members::Member& passed) const -> Held {
    const auto* definition = declared_ == nullptr ? nullptr : find_member(*declared_, passed.key);
    if (definition == nullptr)
      return refuse(passed.where,
                    fmt::format("the template has no parameter {}{}", base::in_quotes(passed.key),
                                base::suggestion(passed.key, names())));
    if (find_member(*passed.value, "reference") != nullptr)
      return {};
    const auto* value = find_member(*passed.value, "value");
    if (value == nullptr)
      return refuse(passed.where, "has neither a value nor a reference");
    return hold_value(*value, *definition, member_path(passed.where, "value"));
  }

 private:
  auto refuse(std::string where, std::string reason) const -> tl::unexpected<base::Error> {
    return tl::unexpected(base::Error{file_, 0, std::move(reason), std::move(where)});
  }

  auto names() const -> std::vector<std::string_view> {
    std::vector<std::string_view> result;
    if (declared_ != nullptr && declared_->is_object())
      for (const auto& [name, definition] : declared_->get_ref<const Json::object_t&>())
        result.emplace_back(name);
    return result;
  }

  auto hold_value(const Json& value, const Json& definition, const std::string& where) const -> Held {
    const auto* nullable = find_member(definition, "nullable");
    if (value.is_null() &&
        (find_member(definition, "defaultValue") != nullptr || (nullable != nullptr && *nullable == true)))
      return {};
    const auto* type = find_member(definition, "type");  // none: of a type that the template defines
    const auto named = type != nullptr && type->is_string() ? lower_case(type->get_ref<const std::string&>())
                                                            : std::string{};
    if (!is_of_type(value, named))
      return refuse(where, fmt::format("is {} where the template wants {}", type_name(value), wanted(named)));
    const auto* allowed = find_member(definition, "allowedValues");
    if (allowed != nullptr && allowed->is_array() && !is_allowed(value, *allowed))
      return refuse(where, "is none of the template's allowedValues");
    return {};
  }

  const std::filesystem::path& file_;
  const Json* declared_;
};

}  // namespace

auto read_parameters(const std::filesystem::path& file, const Json& document)
    -> tl::expected<Json, base::Error> {
  const auto text = read_content(file, max_json_bytes);
  if (!text)
    return tl::unexpected(text.error());
  const auto parsed = parse_json(*text, file);
  if (!parsed)
    return tl::unexpected(parsed.error());
  const auto top = Members::of(*parsed, "$", file);
  if (!top)
    return tl::unexpected(top.error());
  const auto* list = top->find("parameters");
  if (list == nullptr)
    return top->refuse("parameters", "is no parameters file: it has no \"parameters\"");
  const auto passed = Members::of(*list, top->where("parameters"), file);
  if (!passed)
    return tl::unexpected(passed.error());
  const Holder holder{file, document};
  for (const auto& member : *passed)
    if (const auto held = holder.hold(member); !held)
      return tl::unexpected(held.error());
  return *list;
}

}  // namespace sekisho::formats
