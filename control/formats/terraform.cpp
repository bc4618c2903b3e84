// SPDX-License-Identifier: BSD-3-Clause
#include "control/formats/terraform.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <utility>

#include "common/base/text.hpp"
#include "control/formats/arm_value.hpp"
#include "control/formats/azure_parts.hpp"
#include "control/formats/route_collector.hpp"

namespace sekisho::formats {
namespace {

using Read = tl::expected<void, base::Error>;

constexpr std::string_view azurerm_table = "azurerm_route_table";
constexpr std::string_view azurerm_route = "azurerm_route";
// Routes as well, and nothing that is read here.
constexpr std::array<std::string_view, 7> other_types{"aws_route",
                                                      "aws_route_table",
                                                      "azurerm_virtual_hub_route_table",
                                                      "azurerm_virtual_hub_route_table_route",
                                                      "google_compute_route",
                                                      "azapi_resource",
                                                      "azurerm_network_manager_routing_rule"};

// The provider's names, and Azure's for the same.
constexpr std::array<std::pair<std::string_view, std::string_view>, 4> names_of_route{
    {{"name", "name"},
     {"address_prefix", "addressprefix"},
     {"next_hop_type", "nexthoptype"},
     {"next_hop_in_ip_address", "nexthopipaddress"}}};

auto text_of(const Json* value) -> std::string {
  return value != nullptr && value->is_string() ? value->get<std::string>() : std::string{};
}

// A resource instance, in whichever of the three documents.
struct Instance {
  std::string type;
  std::string address;  // "module.spoke.azurerm_route_table.this["a"]"
  const Json* values = nullptr;
  const Json* unknown = nullptr;  // of a plan: what is known after it is applied
                                  // only, true in the place of each
  std::string path;
};

class TerraformReader {
 public:
  explicit TerraformReader(RouteCollector& routes) : routes_(routes), tables_(routes) {}

  auto read(const Json& document) -> Read {
    auto collected = find_member(document, "format_version") != nullptr ? shown(document) : state(document);
    if (!collected)
      return collected;
    for (const auto& instance : instances_)
      if (instance.type == azurerm_table)
        if (const auto done = table(instance); !done)
          return done;
    // A route of its own may stand before its table.
    for (const auto& instance : instances_)
      if (instance.type == azurerm_route)
        if (const auto done = route(instance); !done)
          return done;
    if (routes_.result.tables.empty() && routes_.result.findings.empty())
      routes_.find(base::Severity::warning, "$", "there is no azurerm_route_table and no azurerm_route");
    return {};
  }

 private:
  auto refuse(const std::string& path, std::string reason) const -> tl::unexpected<base::Error> {
    return tl::unexpected(base::Error{routes_.result.file, 0, std::move(reason), path});
  }

  // {"version": 4, "resources": [{"type": .., "name": .., "instances": [{"attributes": {..}}]}]}
  auto state(const Json& document) -> Read {
    const auto* version = find_member(document, "version");
    if (version == nullptr || !version->is_number_unsigned() || version->get<std::uint64_t>() != 4)
      return refuse("$.version",
                    "only a Terraform state of version 4 is read "
                    "(Terraform 0.12 and later)");
    const auto* resources = find_member(document, "resources");
    if (resources == nullptr || !resources->is_array())
      return refuse("$", "is a Terraform state without an array of resources");
    for (std::size_t i = 0; i < resources->size(); ++i) {
      const auto& resource = (*resources)[i];
      const auto path = element_path("$.resources", i);
      const auto type = text_of(find_member(resource, "type"));
      if (!is_read(type, path))
        continue;
      const auto* instances = find_member(resource, "instances");
      if (instances == nullptr || !instances->is_array())
        return refuse(path, "is a resource without an array of instances");
      for (std::size_t k = 0; k < instances->size(); ++k) {
        const auto& instance = (*instances)[k];
        const auto place = element_path(path + ".instances", k);
        if (const auto* deposed = find_member(instance, "deposed");
            deposed != nullptr && !deposed->is_null()) {
          routes_.find(base::Severity::note, place, "is deposed, that is about to be destroyed: not read");
          continue;
        }
        const auto* attributes = find_member(instance, "attributes");
        if (attributes == nullptr || !attributes->is_object())
          return refuse(place, "is an instance without an object of attributes");
        instances_.push_back(
            {type, address_in_state(resource, instance, type), attributes, nullptr, place + ".attributes"});
      }
    }
    return {};
  }

  static auto address_in_state(const Json& resource, const Json& instance, const std::string& type)
      -> std::string {
    const auto module = text_of(find_member(resource, "module"));
    auto result = fmt::format("{}{}{}{}.{}", module, module.empty() ? "" : ".",
                              text_of(find_member(resource, "mode")) == "data" ? "data." : "", type,
                              text_of(find_member(resource, "name")));
    const auto* key = find_member(instance, "index_key");
    if (key != nullptr && key->is_string())
      result += fmt::format("[\"{}\"]", key->get_ref<const std::string&>());
    else if (key != nullptr && key->is_number_integer())
      result += fmt::format("[{}]", key->get<std::int64_t>());
    return result;
  }

  // {"format_version": .., "values": {"root_module": ..}} of a state; of a plan "planned_values", and what is not known yet
  // in "resource_changes".
  auto shown(const Json& document) -> Read {
    const auto* planned = find_member(document, "planned_values");
    const auto* values = planned != nullptr ? planned : find_member(document, "values");
    const auto path = std::string{planned != nullptr ? "$.planned_values" : "$.values"};
    const auto* root = values == nullptr ? nullptr : find_member(*values, "root_module");
    if (root == nullptr)
      return {};  // a state of nothing has no "values"
    if (planned != nullptr)
      remember_unknown(find_member(document, "resource_changes"));
    return module(*root, path + ".root_module");
  }

  void remember_unknown(const Json* changes) {
    if (changes == nullptr || !changes->is_array())
      return;
    for (const auto& each : *changes) {
      const auto* change = find_member(each, "change");
      const auto* unknown = change == nullptr ? nullptr : find_member(*change, "after_unknown");
      if (unknown != nullptr)
        unknown_.insert_or_assign(text_of(find_member(each, "address")), unknown);
    }
  }

  auto module(const Json& module, const std::string& path) -> Read {
    if (const auto* resources = find_member(module, "resources")) {
      if (!resources->is_array())
        return refuse(path + ".resources", "is not an array");
      for (std::size_t i = 0; i < resources->size(); ++i) {
        const auto& resource = (*resources)[i];
        const auto place = element_path(path + ".resources", i);
        const auto type = text_of(find_member(resource, "type"));
        if (!is_read(type, place))
          continue;
        const auto* values = find_member(resource, "values");
        if (values == nullptr || !values->is_object())
          return refuse(place, "is a resource without an object of values");
        const auto address = text_of(find_member(resource, "address"));
        const auto unknown = unknown_.find(address);
        instances_.push_back({type, address, values, unknown == unknown_.end() ? nullptr : unknown->second,
                              place + ".values"});
      }
    }
    const auto* children = find_member(module, "child_modules");
    if (children == nullptr)
      return {};
    if (!children->is_array())
      return refuse(path + ".child_modules", "is not an array");
    for (std::size_t i = 0; i < children->size(); ++i)
      if (const auto done = this->module((*children)[i], element_path(path + ".child_modules", i)); !done)
        return done;
    return {};
  }

  bool is_read(const std::string& type, const std::string& path) {
    if (type == azurerm_table || type == azurerm_route)
      return true;
    if (std::ranges::find(other_types, type) != other_types.end() && said_.insert(type).second)
      routes_.find(base::Severity::warning, path,
                   fmt::format("{} is not read, here and in others: routes "
                               "that it may hold are left out",
                               type));
    return false;
  }

  // "true" in the place of a value, or of the object or list around it.
  static bool is_unknown(const Json* unknown, std::string_view name) {
    if (unknown == nullptr)
      return false;
    if (unknown->is_boolean())
      return unknown->get<bool>();
    const auto* member = find_member(*unknown, name);
    return member != nullptr && member->is_boolean() && member->get<bool>();
  }

  auto table(const Instance& instance) -> Read {
    const auto members = Members::of(*instance.values, instance.path, routes_.result.file);
    if (!members)
      return tl::unexpected(members.error());
    const auto name = members->string("name");
    if (!name)
      return tl::unexpected(name.error());
    // Before version 4 of the provider: disable_bgp_route_propagation.
    const auto enabled = members->boolean("bgp_route_propagation_enabled", true);
    const auto disabled = members->boolean("disable_bgp_route_propagation", false);
    if (!enabled || !disabled)
      return tl::unexpected(enabled ? disabled.error() : enabled.error());
    const auto index = routes_.add_table({.name = *name == nullptr ? "" : **name,
                                          .place = instance.address,
                                          .takes_bgp = *enabled && !*disabled},
                                         instance.path);
    if (!index)
      return tl::unexpected(index.error());
    groups_.push_back({lower_case(*name == nullptr ? "" : **name),
                       lower_case(text_of(find_member(*instance.values, "resource_group_name"))), *index});
    const auto opened = routes_.open(*index);
    for (const auto* key : {"bgp_route_propagation_enabled", "disable_bgp_route_propagation"})
      if (is_unknown(instance.unknown, key))
        routes_.find(base::Severity::warning, instance.path,
                     fmt::format("{} is known after the plan is applied only; "
                                 "taken for propagation",
                                 key));
    const auto* list = members->find("route");
    if (list == nullptr)
      return {};  // computed, where routes are resources of their own
    if (!list->is_array())
      return members->refuse("route", fmt::format("is {} where an array is expected", type_name(*list)));
    const auto* unknown = instance.unknown == nullptr ? nullptr : find_member(*instance.unknown, "route");
    for (std::size_t i = 0; i < list->size(); ++i) {
      const auto* of_route =
          unknown != nullptr && unknown->is_array() && i < unknown->size() ? &(*unknown)[i] : nullptr;
      if (const auto done =
              read_route((*list)[i], of_route, element_path(members->where("route"), i), nullptr, *index);
          !done)
        return done;
    }
    return {};
  }

  auto route(const Instance& instance) -> Read {
    for (const auto* key : {"route_table_name", "name"})
      if (is_unknown(instance.unknown, key)) {
        routes_.find(base::Severity::error, instance.path,
                     fmt::format("a route is left out: its {} is known after "
                                 "the plan is applied only",
                                 key));
        return {};
      }
    const auto members = Members::of(*instance.values, instance.path, routes_.result.file);
    if (!members)
      return tl::unexpected(members.error());
    const auto table_name = members->string("route_table_name");
    const auto name = members->string("name");
    if (!table_name || !name)
      return tl::unexpected(table_name ? name.error() : table_name.error());
    if (*table_name == nullptr)
      return members->refuse("route_table_name", "is a route without the name of its table");
    const auto table =
        table_named(**table_name, text_of(members->find("resource_group_name")), instance.path);
    if (!table)
      return tl::unexpected(table.error());
    return read_route(*instance.values, instance.unknown, instance.path,
                      *name == nullptr ? &nameless_ : *name, *table);
  }

  auto table_named(const std::string& name, const std::string& group, const std::string& path)
      -> tl::expected<std::uint16_t, base::Error> {
    for (const auto& known : groups_)
      if (known.name == lower_case(name) &&
          (known.group == lower_case(group) || known.group.empty() || group.empty()))
        return known.index;
    const auto added = tables_.absent_table(name, path);
    if (added)
      groups_.push_back({lower_case(name), lower_case(group), *added});
    return added;
  }

  auto read_route(const Json& values, const Json* unknown, const std::string& path, const std::string* name,
                  std::uint16_t table) -> Read {
    const auto own = Members::of(values, path, routes_.result.file);
    if (!own)
      return tl::unexpected(own.error());
    auto azures = own->renamed(names_of_route);
    if (unknown != nullptr) {
      for (const auto& [theirs, azure] : names_of_route)
        if (theirs != "name" && is_unknown(unknown, theirs)) {
          const auto opened = routes_.open(table);
          const auto* label = own->find("name");
          routes_.find(base::Severity::error, path,
                       fmt::format("route {} is left out: its {} is known "
                                   "after the plan is applied only",
                                   base::in_quotes(text_of(label)), theirs));
          return {};
        }
    }
    return tables_.read(azures, name, table);
  }

  struct Named {
    std::string name;
    std::string group;
    std::uint16_t index = 0;
  };

  RouteCollector& routes_;
  RouteTableReader tables_;
  std::vector<Instance> instances_;
  std::vector<Named> groups_;
  std::map<std::string, const Json*> unknown_;  // by address
  std::set<std::string> said_;
  std::string nameless_;
};

}  // namespace

bool holds_terraform(const Content& content) {
  return content.list == nullptr && find_member(*content.document, "terraform_version") != nullptr;
}

auto read_terraform(const Content& content, const Options& /*options*/) -> Reading {
  RouteCollector routes{content.file, Format::terraform};
  if (const auto read = TerraformReader{routes}.read(*content.document); !read)
    return tl::unexpected(read.error());
  return std::move(routes.result);
}

}  // namespace sekisho::formats
