// SPDX-License-Identifier: BSD-3-Clause
// What a Terraform plan says beside its values: what is known after it is applied only, what it changes, and what its
// configuration asks for.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "control/formats/json.hpp"

namespace sekisho::formats {

inline constexpr std::string_view azurerm_table = "azurerm_route_table";
inline constexpr std::string_view azurerm_route = "azurerm_route";

// A member that is a string; "": there is none.
[[nodiscard]] auto text_of(const Json& object, std::string_view name) -> std::string;

// Refers to the document, which has to live as long. An address is "module.spoke.azurerm_route_table.this["a"]".
class TerraformPlan {
 public:
  // Of what `terraform show -json` prints of a plan.
  void read(const Json& document);

  // True in the place of each value that is known after the plan is applied only. Null: all are known.
  [[nodiscard]] const Json* unknown(const std::string& address) const;
  // What the azurerm_routes were that the plan deletes: those of a route's name in tables of a name.
  [[nodiscard]] auto deleted(std::string_view table, std::string_view route) const
      -> const std::vector<const Json*>&;
  // Whether the plan changes a table's inline routes. Else it takes them over, as the provider has read them.
  [[nodiscard]] bool changes_routes(const std::string& table) const;
  // Whether the configuration has `route = ..` in a table. Without it the provider tells which routes there are.
  [[nodiscard]] bool sets_routes(std::string_view table) const;

 private:
  void read_change(const Json& each);
  void read_configuration(const Json& module, const std::string& prefix);

  std::map<std::string, const Json*> unknown_;               // by address
  std::map<std::string, std::vector<const Json*>> deleted_;  // by "table/route" in small letters
  std::set<std::string> changed_tables_;
  std::set<std::string> set_tables_;  // their addresses without keys
};

}  // namespace sekisho::formats
