// SPDX-License-Identifier: BSD-3-Clause
#include "control/formats/terraform.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "common/base/text.hpp"
#include "control/formats/arm_value.hpp"
#include "control/formats/azure_parts.hpp"
#include "control/formats/route_collector.hpp"
#include "control/formats/terraform_plan.hpp"

namespace sekisho::formats {
namespace {

using Read = tl::expected<void, base::Error>;

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

// A resource instance, in whichever of the three documents.
struct Instance {
  std::string type;
  std::string address;  // "module.spoke.azurerm_route_table.this["a"]"
  const Json* values = nullptr;
  const Json* unknown = nullptr;  // as of TerraformPlan
  std::string path;
  bool is_data = false;  // read by the configuration, and not managed by it
};

struct Table {
  std::string group;  // in small letters, as the identifier is; "": not known
  std::string id;
  std::uint16_t index = 0;
};

// Whether a route belongs to a table, if the name is the right one.
enum class Fit : std::uint8_t { no, maybe, yes };
Fit fit(const Json& route, const Table& table) {
  if (const auto id = lower_case(text_of(route, "id")); !id.empty() && !table.id.empty())
    return id.starts_with(table.id + "/") ? Fit::yes : Fit::no;
  const auto group = lower_case(text_of(route, "resource_group_name"));
  if (group.empty() || table.group.empty())
    return Fit::maybe;
  return group == table.group ? Fit::yes : Fit::no;
}

// Of an azurerm_route and an inline route.
bool say_the_same(const Json& one, const Json& other) {
  return std::ranges::all_of(
      std::array{"address_prefix", "next_hop_type", "next_hop_in_ip_address"},
      [&](const char* name) { return base::equal_without_case(text_of(one, name), text_of(other, name)); });
}

class TerraformReader {
 public:
  explicit TerraformReader(RouteCollector& routes) : routes_(routes), tables_(routes) {}

  auto read(const Json& document) -> Read {
    auto collected = find_member(document, "format_version") != nullptr ? shown(document) : state(document);
    if (!collected)
      return collected;
    // A route of its own may stand before its table, and takes the place of an inline one of its name.
    for (const auto is_data : {false, true})
      for (const auto& instance : instances_)
        if (instance.type == azurerm_table && instance.is_data == is_data)
          if (const auto done = table(instance); !done)
            return done;
    for (const auto& instance : instances_)
      if (instance.type == azurerm_route)
        if (const auto done = find_table(instance); !done)
          return done;
    for (const auto& [instance, index] : known_tables_)
      if (const auto done = inline_routes(*instance, index); !done)
        return done;
    for (const auto& [instance, name, index] : own_routes_)
      if (const auto done = read_route(*instance->values, instance->unknown, instance->path, &name, index);
          !done)
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
    is_state_ = true;
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
      const auto type = text_of(resource, "type");
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
        instances_.push_back({type, address_in_state(resource, instance, type), attributes, nullptr,
                              place + ".attributes", text_of(resource, "mode") == "data"});
      }
    }
    return {};
  }

  static auto address_in_state(const Json& resource, const Json& instance, const std::string& type)
      -> std::string {
    const auto module = text_of(resource, "module");
    auto result =
        fmt::format("{}{}{}{}.{}", module, module.empty() ? "" : ".",
                    text_of(resource, "mode") == "data" ? "data." : "", type, text_of(resource, "name"));
    const auto* key = find_member(instance, "index_key");
    if (key != nullptr && key->is_string())
      result += fmt::format("[\"{}\"]", key->get_ref<const std::string&>());
    else if (key != nullptr && key->is_number_integer())
      result += fmt::format("[{}]", key->get<std::int64_t>());
    return result;
  }

  // {"format_version": .., "values": {"root_module": ..}} of a state; of a plan "planned_values", and in "prior_state" what
  // was read for it.
  auto shown(const Json& document) -> Read {
    const auto* planned = find_member(document, "planned_values");
    is_state_ = planned == nullptr;
    if (is_state_)
      return values(find_member(document, "values"), "$.values", false);
    plan_.read(document);
    const auto is = [&](const char* key, bool value) {
      const auto* member = find_member(document, key);
      return member != nullptr && *member == value;
    };
    if (is("errored", true))
      routes_.find(base::Severity::warning, "$.errored",
                   "Terraform failed to make this plan: it may not hold all");
    else if (is("complete", false))
      routes_.find(base::Severity::warning, "$.complete",
                   "this plan leaves changes to a later one: it does not hold all");
    if (const auto done = values(planned, "$.planned_values", false); !done)
      return done;
    const auto* prior = find_member(document, "prior_state");
    return values(prior == nullptr ? nullptr : find_member(*prior, "values"), "$.prior_state.values", true);
  }

  auto values(const Json* values, const std::string& path, bool data_alone) -> Read {
    const auto* root = values == nullptr ? nullptr : find_member(*values, "root_module");
    if (root == nullptr)
      return {};  // a state of nothing has no "values"
    return module(*root, path + ".root_module", data_alone);
  }

  auto module(const Json& module, const std::string& path, bool data_alone) -> Read {
    if (const auto* resources = find_member(module, "resources")) {
      if (!resources->is_array())
        return refuse(path + ".resources", "is not an array");
      for (std::size_t i = 0; i < resources->size(); ++i) {
        const auto& resource = (*resources)[i];
        const auto place = element_path(path + ".resources", i);
        const auto type = text_of(resource, "type");
        const auto is_data = text_of(resource, "mode") == "data";
        if (data_alone ? type != azurerm_table || !is_data : !is_read(type, place))
          continue;
        const auto* values = find_member(resource, "values");
        if (values == nullptr || !values->is_object())
          return refuse(place, "is a resource without an object of values");
        const auto address = text_of(resource, "address");
        // What is not read before the plan is applied may be in its prior state as it was.
        if (!addresses_.insert(address).second && data_alone)
          continue;
        instances_.push_back({type, address, values, data_alone ? nullptr : plan_.unknown(address),
                              place + ".values", is_data});
      }
    }
    const auto* children = find_member(module, "child_modules");
    if (children == nullptr)
      return {};
    if (!children->is_array())
      return refuse(path + ".child_modules", "is not an array");
    for (std::size_t i = 0; i < children->size(); ++i)
      if (const auto done =
              this->module((*children)[i], element_path(path + ".child_modules", i), data_alone);
          !done)
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
    auto& of_name = tables_of_name_[lower_case(*name == nullptr ? "" : **name)];
    const Table known{.group = lower_case(text_of(*instance.values, "resource_group_name")),
                      .id = lower_case(text_of(*instance.values, "id"))};
    // Several modules may read the table that one manages.
    const auto is_known = [&](const Table& other) {
      return other.id.empty() || known.id.empty() ? !known.group.empty() && other.group == known.group
                                                  : other.id == known.id;
    };
    if (instance.is_data && std::ranges::any_of(of_name, is_known))
      return {};
    TableSummary summary{.name = *name == nullptr ? "" : **name,
                         .place = instance.address,
                         .takes_bgp = *enabled && !*disabled};
    // A plan knows of no subnet that it has yet to make.
    if (const auto* subnets = members->find("subnets"); subnets != nullptr && !subnets->empty())
      summary.subnets = attached_subnets(*subnets);
    const auto index = routes_.add_table(std::move(summary), instance.path);
    if (!index)
      return tl::unexpected(index.error());
    of_name.push_back({known.group, known.id, *index});
    known_tables_.emplace_back(&instance, *index);
    const auto opened = routes_.open(*index);
    for (const auto* key : {"bgp_route_propagation_enabled", "disable_bgp_route_propagation"})
      if (is_unknown(instance.unknown, key))
        routes_.find(base::Severity::warning, instance.path,
                     fmt::format("{} is known after the plan is applied only; "
                                 "taken for propagation",
                                 key));
    return {};
  }

  auto inline_routes(const Instance& instance, std::uint16_t index) -> Read {
    const auto members = Members::of(*instance.values, instance.path, routes_.result.file);
    if (!members)
      return tl::unexpected(members.error());
    const auto opened = routes_.open(index);
    const auto* list = members->find("route");
    if (list == nullptr) {
      if (is_unknown(instance.unknown, "route"))
        find_unknown_routes(instance, index);
      return {};
    }
    if (!list->is_array())
      return members->refuse("route", fmt::format("is {} where an array is expected", type_name(*list)));
    const auto* unknown = instance.unknown == nullptr ? nullptr : find_member(*instance.unknown, "route");
    for (std::size_t i = 0; i < list->size(); ++i) {
      const auto* of_route =
          unknown != nullptr && unknown->is_array() && i < unknown->size() ? &(*unknown)[i] : nullptr;
      const auto place = element_path(members->where("route"), i);
      if (is_superseded(instance, (*list)[i], place, index))
        continue;
      if (const auto done = read_route((*list)[i], of_route, place, nullptr, index); !done)
        return done;
    }
    return {};
  }

  // Of a table that is created, routes of their own stand in the plan, and none is inline. A `dynamic` block is not in the
  // configuration that a plan holds.
  void find_unknown_routes(const Instance& instance, std::uint16_t index) {
    if (instance.is_data || plan_.sets_routes(instance.address))
      routes_.find(base::Severity::error, instance.path,
                   "the routes of this table are left out: they are known after the plan is applied only");
    else if (!names_of_own_.contains(index))
      routes_.find(
          base::Severity::warning, instance.path,
          "routes of a dynamic block, if this table has one, are known after the plan is applied only");
  }

  // The provider reads every route of a table into its `route`, and does so before routes of their own are changed.
  bool is_superseded(const Instance& table, const Json& route, const std::string& path, std::uint16_t index) {
    const auto name = text_of(route, "name");
    const auto own = names_of_own_.find(index);
    if (own != names_of_own_.end()) {
      const auto same = own->second.find(lower_case(name));
      if (same != own->second.end()) {
        if (!say_the_same(*same->second->values, route))
          routes_.find(base::Severity::note, path,
                       fmt::format("inline route {} is not read: {} is another, and counts",
                                   base::in_quotes(name), same->second->address));
        return true;
      }
      if (is_state_ && !table.is_data)
        routes_.find(
            base::Severity::warning, path,
            fmt::format("inline route {} may be gone: routes of this table are resources of their own, and "
                        "none is this one",
                        base::in_quotes(name)));
    }
    const Table of_route{.group = lower_case(text_of(*table.values, "resource_group_name")),
                         .id = lower_case(text_of(*table.values, "id"))};
    const auto& deleted = plan_.deleted(text_of(*table.values, "name"), name);
    if (plan_.changes_routes(table.address) ||
        std::ranges::none_of(deleted, [&](const Json* each) { return fit(*each, of_route) != Fit::no; }))
      return false;
    routes_.find(base::Severity::note, path,
                 fmt::format("inline route {} is not read: the plan deletes it", base::in_quotes(name)));
    return true;
  }

  auto find_table(const Instance& instance) -> Read {
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
    const auto index = table_named(**table_name, instance);
    if (!index)
      return tl::unexpected(index.error());
    if (!*index)
      return {};
    const auto own = *name == nullptr ? std::string{} : **name;
    if (!own.empty())
      names_of_own_[**index].emplace(lower_case(own), &instance);
    own_routes_.push_back({&instance, own, **index});
    return {};
  }

  // Nullopt: it is one of several, and which is not known.
  auto table_named(const std::string& name, const Instance& route)
      -> tl::expected<std::optional<std::uint16_t>, base::Error> {
    auto& of_name = tables_of_name_[lower_case(name)];
    std::vector<std::uint16_t> found;
    for (const auto wanted : {Fit::yes, Fit::maybe}) {
      for (const auto& known : of_name)
        if (fit(*route.values, known) == wanted)
          found.push_back(known.index);
      if (!found.empty())
        break;
    }
    if (found.size() == 1)
      return found.front();
    if (found.size() > 1) {
      routes_.find(
          base::Severity::error, route.path,
          fmt::format("a route is left out: {} tables are called {}, and of which it is, is not known",
                      found.size(), base::in_quotes(name)));
      return std::nullopt;
    }
    const auto added = tables_.absent_table(name, route.path);
    if (!added)
      return tl::unexpected(added.error());
    of_name.push_back(
        {.group = lower_case(text_of(*route.values, "resource_group_name")), .id = {}, .index = *added});
    const auto opened = routes_.open(*added);
    routes_.find(base::Severity::warning, route.path,
                 fmt::format("the table {} is not in this file: its other routes are not known",
                             base::in_quotes(name)));
    return *added;
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
          routes_.find(base::Severity::error, path,
                       fmt::format("route {} is left out: its {} is known "
                                   "after the plan is applied only",
                                   base::in_quotes(text_of(values, "name")), theirs));
          return {};
        }
    }
    return tables_.read(azures, name, table);
  }

  struct OwnRoute {
    const Instance* instance = nullptr;
    std::string name;
    std::uint16_t table = 0;
  };

  RouteCollector& routes_;
  RouteTableReader tables_;
  TerraformPlan plan_;
  bool is_state_ = false;  // which tells nothing of what is to come
  std::vector<Instance> instances_;
  std::set<std::string> addresses_;
  std::map<std::string, std::vector<Table>> tables_of_name_;  // in small letters
  std::vector<std::pair<const Instance*, std::uint16_t>> known_tables_;
  std::vector<OwnRoute> own_routes_;
  std::map<std::uint16_t, std::map<std::string, const Instance*>> names_of_own_;  // in small letters
  std::set<std::string> said_;
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
