// SPDX-License-Identifier: BSD-3-Clause
#include "control/formats/terraform_plan.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace sekisho::formats {
namespace {

auto key_of(std::string_view table, std::string_view route) -> std::string {
  return fmt::format("{}/{}", lower_case(table), lower_case(route));
}

// "module.spoke["a"].azurerm_route_table.this[0]" -> "module.spoke.azurerm_route_table.this"
auto without_keys(std::string_view address) -> std::string {
  std::string result;
  bool in_key = false;
  bool in_quotes = false;
  for (std::size_t i = 0; i < address.size(); ++i) {
    const auto c = address[i];
    if (in_quotes && c == '\\')
      ++i;
    else if (in_key && c == '"')
      in_quotes = !in_quotes;
    else if (in_key)
      in_key = in_quotes || c != ']';
    else if (c == '[')
      in_key = true;
    else
      result += c;
  }
  return result;
}

}  // namespace

auto text_of(const Json& object, std::string_view name) -> std::string {
  const auto* value = find_member(object, name);
  return value != nullptr && value->is_string() ? value->get<std::string>() : std::string{};
}

void TerraformPlan::read(const Json& document) {
  const auto* changes = find_member(document, "resource_changes");
  if (changes != nullptr && changes->is_array())
    for (const auto& each : *changes)
      read_change(each);
  const auto* configuration = find_member(document, "configuration");
  const auto* root = configuration == nullptr ? nullptr : find_member(*configuration, "root_module");
  if (root != nullptr)
    read_configuration(*root, "");
}

// {"address": .., "type": .., "change": {"actions": ["delete", "create"], "before": {..}, "after": {..}, "after_unknown": {..}}}
void TerraformPlan::read_change(const Json& each) {
  const auto* change = find_member(each, "change");
  if (change == nullptr)
    return;
  const auto address = text_of(each, "address");
  if (const auto* unknown = find_member(*change, "after_unknown"))
    unknown_.insert_or_assign(address, unknown);
  const auto* before = find_member(*change, "before");
  const auto* after = find_member(*change, "after");
  const auto type = text_of(each, "type");
  const auto* actions = find_member(*change, "actions");
  // A route that is replaced is deleted as what it was.
  if (type == azurerm_route && before != nullptr && actions != nullptr && actions->is_array() &&
      std::ranges::find(*actions, Json("delete")) != actions->end())
    deleted_[key_of(text_of(*before, "route_table_name"), text_of(*before, "name"))].push_back(before);
  if (type == azurerm_table) {
    const auto* old_routes = before == nullptr ? nullptr : find_member(*before, "route");
    const auto* new_routes = after == nullptr ? nullptr : find_member(*after, "route");
    if (new_routes != nullptr && (old_routes == nullptr || *old_routes != *new_routes))
      changed_tables_.insert(address);
  }
}

// {"resources": [{"address": .., "expressions": {"route": ..}}], "module_calls": {"spoke": {"module": {..}}}}
void TerraformPlan::read_configuration(const Json& module, const std::string& prefix) {
  const auto* resources = find_member(module, "resources");
  if (resources != nullptr && resources->is_array())
    for (const auto& resource : *resources) {
      const auto* expressions = find_member(resource, "expressions");
      if (expressions != nullptr && find_member(*expressions, "route") != nullptr)
        set_tables_.insert(prefix + text_of(resource, "address"));
    }
  const auto* calls = find_member(module, "module_calls");
  if (calls == nullptr || !calls->is_object())
    return;
  for (const auto& [name, call] : calls->items())
    if (const auto* called = find_member(call, "module"))
      read_configuration(*called, fmt::format("{}module.{}.", prefix, name));
}

const Json* TerraformPlan::unknown(const std::string& address) const {
  const auto found = unknown_.find(address);
  return found == unknown_.end() ? nullptr : found->second;
}

auto TerraformPlan::deleted(std::string_view table, std::string_view route) const
    -> const std::vector<const Json*>& {
  static const std::vector<const Json*> none;
  const auto found = deleted_.find(key_of(table, route));
  return found == deleted_.end() ? none : found->second;
}

bool TerraformPlan::changes_routes(const std::string& table) const {
  return changed_tables_.contains(table);
}

bool TerraformPlan::sets_routes(std::string_view table) const {
  return set_tables_.contains(without_keys(table));
}

}  // namespace sekisho::formats
