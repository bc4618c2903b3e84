// SPDX-License-Identifier: BSD-3-Clause
#include "control/formats/arm_scope.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <ranges>

#include "common/base/error.hpp"
#include "common/base/text.hpp"
#include "control/formats/arm_value.hpp"

namespace sekisho::formats {
namespace {

// "copy": [{"name": .., "count": .., "input": ..}] in an object makes a member of it.
bool is_property_loop(const Json& value) {
  return value.is_array() && !value.empty() && std::ranges::all_of(value, [](const Json& each) {
           const auto* name = find_member(each, "name");
           return name != nullptr && name->is_string() && find_member(each, "count") != nullptr &&
                  find_member(each, "input") != nullptr;
         });
}

}  // namespace

void TemplateContext::assume(base::Severity severity, const std::string& path, std::string what) {
  if (assumed_.insert(path).second)
    routes_.find(severity, path, std::move(what));
}

auto Scope::resolve(const Json& value) -> Json {
  const Allowance::Level level{allowance()};
  if (!level.is_allowed() || !allowance().take(Allowance::step))
    return make_unknown("", "it is too much to work out", Lack::here);
  if (value.is_string()) {
    const auto& text = value.get_ref<const std::string&>();
    if (is_expression(text))
      return evaluate(text, *this);
    return text.starts_with("[[") ? Json(text.substr(1)) : value;
  }
  if (value.is_object())
    return resolve_object(value);
  if (!value.is_array())
    return value;
  auto result = Json::array();
  for (const auto& element : value)
    result.push_back(resolve(element));
  return result;
}

auto Scope::resolve_object(const Json& object) -> Json {
  auto result = Json::object();
  for (const auto& [name, value] : object.get_ref<const Json::object_t&>()) {
    if (base::equal_without_case(name, "copy") && is_property_loop(value))
      for (const auto& loop : value)
        result[find_member(loop, "name")->get_ref<const std::string&>()] = resolve_loop(loop);
    else
      result[name] = resolve(value);
  }
  return result;
}

auto Scope::resolve_loop(const Json& loop) -> Json {
  const auto& name = find_member(loop, "name")->get_ref<const std::string&>();
  const auto count = resolve(*find_member(loop, "count"));
  if (is_unknown(count))
    return count;
  if (!count.is_number_unsigned() && !(count.is_number_integer() && count.get<std::int64_t>() >= 0))
    return make_unknown(name, "the copy loop's count is not a number", Lack::nobody);
  if (count.get<std::uint64_t>() > max_loop)
    return make_unknown(name, fmt::format("the copy loop runs more than {} times", max_loop), Lack::nobody);
  const auto& input = *find_member(loop, "input");
  auto result = Json::array();
  enter_loop(name);
  for (std::uint64_t i = 0; i < count.get<std::uint64_t>(); ++i) {
    set_loop_index(i);
    result.push_back(resolve(input));
  }
  leave_loop();
  return result;
}

void Scope::enter_loop(std::string name) {
  loops_.emplace_back(std::move(name), 0);
}
void Scope::set_loop_index(std::uint64_t index) {
  loops_.back().second = index;
}
void Scope::leave_loop() {
  loops_.pop_back();
}

// A parameter that is passed as null is not passed: its default counts.
auto Scope::given(std::string_view name) -> std::optional<Json> {
  auto result = passed(name);
  return result && result->is_null() ? std::nullopt : result;
}

auto Scope::passed(std::string_view name) -> std::optional<Json> {
  if (!given_ || given_->parameters == nullptr)
    return std::nullopt;
  if (!given_->parameters->is_object())
    return make_unknown("", "the deployment's parameters are not an object", Lack::nobody);
  const auto* found = find_member(*given_->parameters, name);
  if (found == nullptr)
    return std::nullopt;
  if (const auto* value = find_member(*found, "value"))
    return given_->scope == nullptr ? *value : given_->scope->resolve(*value);
  if (given_->scope == nullptr)
    return make_unknown(fmt::format("[parameters('{}')]", name), "its value is a secret of a key vault's");
  // The whole of {"value": ..} may be an expression: "[if(.., createObject('value', ..), ..)]".
  const auto whole = given_->scope->resolve(*found);
  if (is_unknown(whole) || whole.is_null())
    return whole;
  const auto* value = find_member(whole, "value");
  return value != nullptr ? *value : make_unknown("", "what the deployment passes has no value");
}

auto Scope::parameter(std::string_view name) -> Json {
  const auto shown = fmt::format("[parameters('{}')]", name);
  const auto* definition = parameters_ == nullptr ? nullptr : find_member(*parameters_, name);
  if (definition == nullptr || !allowance().take(parameters_->size()))
    return make_unknown(shown, "there is no such parameter", Lack::nobody);
  if (auto value = given(name))
    return *std::move(value);
  if (const auto* value = find_member(*definition, "defaultValue")) {
    // A deployment in the file has passed what it wants to pass; of the outermost template's nobody knows.
    if (!given_)
      context_.assume(base::Severity::note, member_path(path_ + ".parameters", name),
                      "route tables depend on this parameter; its defaultValue is taken");
    return resolve(*value);
  }
  if (const auto* nullable = find_member(*definition, "nullable");
      given_ && nullable != nullptr && *nullable == true)
    return nullptr;
  return make_unknown(shown, "the parameter has no defaultValue");
}

auto Scope::variable(std::string_view name) -> Json {
  const auto shown = fmt::format("[variables('{}')]", name);
  if (variables_ == nullptr || !allowance().take(variables_->size()))
    return make_unknown(shown, "there is no such variable", Lack::nobody);
  if (const auto* value = find_member(*variables_, name))
    return resolve(*value);
  if (const auto* loops = find_member(*variables_, "copy"); loops != nullptr && is_property_loop(*loops))
    for (const auto& loop : *loops)
      if (base::equal_without_case(find_member(loop, "name")->get_ref<const std::string&>(), name))
        return resolve_loop(loop);
  return make_unknown(shown, "there is no such variable", Lack::nobody);
}

auto Scope::cloud() -> std::string {
  context_.assume(
      base::Severity::warning, path_,
      "route tables depend on the cloud that this is deployed to (environment()); taken as AzureCloud, the "
      "public one");
  return "AzureCloud";
}

auto Scope::loop_index(std::string_view name) -> std::optional<std::uint64_t> {
  const auto found = std::ranges::find_if(loops_ | std::views::reverse, [&](const auto& loop) {
    return name.empty() || base::equal_without_case(loop.first, name);
  });
  return found == std::ranges::rend(loops_) ? std::nullopt : std::optional{found->second};
}

}  // namespace sekisho::formats
