// SPDX-License-Identifier: BSD-3-Clause
// Route tables and their routes among a template's resources, and in the deployments nested in it.
#include <fmt/format.h>

#include <functional>
#include <map>
#include <utility>

#include "common/base/error.hpp"
#include "common/base/text.hpp"
#include "control/formats/arm_scope.hpp"
#include "control/formats/arm_value.hpp"
#include "control/formats/azure_parts.hpp"

namespace sekisho::formats {
namespace {

constexpr std::string_view table_type = "microsoft.network/routetables";
constexpr std::string_view route_type = "microsoft.network/routetables/routes";
constexpr std::string_view deployment_type = "microsoft.resources/deployments";

using Read = tl::expected<void, base::Error>;

auto string_or_empty(const Json* value) -> std::string_view {
  return value != nullptr && value->is_string() ? std::string_view{value->get_ref<const std::string&>()}
                                                : std::string_view{};
}

// Whether reading it would tell of routes: most of a template is other resources.
bool is_of_interest(const Json& value) {
  if (value.is_object()) {
    const auto type = lower_case(string_or_empty(find_member(value, "type")));
    if (type.starts_with(table_type) || find_member(value, "templateLink") != nullptr)
      return true;
  }
  if (value.is_structured())
    for (const auto& element : value)
      if (is_of_interest(element))
        return true;
  return false;
}

class TemplateReader {
 public:
  explicit TemplateReader(RouteCollector& routes) : routes_(routes), tables_(routes), context_(routes) {}

  auto read(const Json& document, const Json* parameters) -> Read {
    const auto given = parameters == nullptr ? std::nullopt : std::optional{Scope::Given{parameters}};
    Scope scope{document, "$", given, context_};
    if (const auto result = resources(document, "$", scope, nullptr); !result)
      return result;
    for (const auto& child : children_)
      if (const auto result = read_child(child); !result)
        return result;
    if (context_.allowance().is_spent())
      return refuse("$", "its expressions are too much to work out");
    return {};
  }

 private:
  // A route that is a resource. Read when all tables are: it may stand before its own.
  struct Child {
    Json route;
    std::string table;  // empty: its name tells
    std::string path;
  };

  auto refuse(std::string path, std::string reason) const -> tl::unexpected<base::Error> {
    return tl::unexpected(base::Error{routes_.result.file, 0, std::move(reason), std::move(path)});
  }

  // `of`: a template or a resource; an array, or since languageVersion 2.0 an object of symbolic names.
  auto resources(const Json& of, const std::string& path, Scope& scope, const std::string* table) -> Read {
    const auto* list = find_member(of, "resources");
    if (list == nullptr || list->is_null())
      return {};
    const auto base = member_path(path, "resources");
    if (!list->is_structured())
      return refuse(base, fmt::format("is {} where resources are expected", type_name(*list)));
    std::size_t index = 0;
    for (const auto& [name, each] : list->items()) {
      const auto place = list->is_array() ? element_path(base, index++) : member_path(base, name);
      if (const auto result = resource(each, place, scope, table); !result)
        return result;
    }
    return {};
  }

  auto resource(const Json& resource, const std::string& path, Scope& scope, const std::string* table)
      -> Read {
    const auto members = Members::of(resource, path, routes_.result.file);
    if (!members)
      return tl::unexpected(members.error());
    const auto type_text = members->string("type");
    if (!type_text)
      return tl::unexpected(type_text.error());
    if (*type_text == nullptr)
      return members->refuse("type", "is a resource without a type");
    auto type = lower_case(**type_text);
    if (table != nullptr && type == "routes")  // a child's type may leave out its parent's
      type = route_type;
    if (type != table_type && type != route_type && (type != deployment_type || !is_of_interest(resource)))
      return {};
    const auto existing = members->boolean("existing", false);
    if (!existing)
      return tl::unexpected(existing.error());
    if (*existing)  // languageVersion 2.0: a reference to what is there already
      return {};
    return looped(*members, scope, [&]() -> Read {
      if (!is_deployed(*members, scope))
        return {};
      if (type == deployment_type)
        return deployment(*members, scope);
      return type == table_type ? read_table(resource, path, scope)
                                : keep_child(resource, path, scope, table);
    });
  }

  // "copy": {"name": .., "count": ..} makes a resource several times.
  auto looped(const Members& members, Scope& scope, const std::function<Read()>& body) -> Read {
    const auto* copy = members.find("copy");
    if (copy == nullptr)
      return body();
    const auto* count_member = find_member(*copy, "count");
    if (count_member == nullptr)
      return members.refuse("copy", "is a copy loop without a count");
    const auto count = scope.resolve(*count_member);
    if (is_unknown(count)) {
      routes_.find(base::Severity::error, members.where("copy"),
                   fmt::format("the routes of this copy loop are left out: {}", unknown_reason(count)));
      return {};
    }
    if (!count.is_number_integer() || (!count.is_number_unsigned() && count.get<std::int64_t>() < 0) ||
        count.get<std::uint64_t>() > max_loop)
      return members.refuse("copy",
                            fmt::format("is a copy loop whose count is not a number up to {}", max_loop));
    scope.enter_loop(std::string{string_or_empty(find_member(*copy, "name"))});
    Read result;
    for (std::uint64_t i = 0; i < count.get<std::uint64_t>() && result; ++i) {
      scope.set_loop_index(i);
      result = context_.allowance().take(1) ? body() : Read{};
    }
    scope.leave_loop();
    return result;
  }

  bool is_deployed(const Members& members, Scope& scope) {
    const auto* condition = members.find("condition");
    if (condition == nullptr)
      return true;
    const auto value = scope.resolve(*condition);
    if (value.is_boolean() && !value.get<bool>())
      routes_.find(base::Severity::note, members.where("condition"),
                   "its condition is false: not deployed, not read");
    else if (!value.is_boolean())
      routes_.find(base::Severity::warning, members.where("condition"),
                   fmt::format("{}; read as if it held",
                               is_unknown(value) ? unknown_reason(value) : "the condition is not a boolean"));
    return !value.is_boolean() || value.get<bool>();
  }

  auto deployment(const Members& members, Scope& scope) -> Read {
    const auto* properties_value = members.find("properties");
    if (properties_value == nullptr)
      return members.refuse("properties", "is a deployment without properties");
    const auto properties = Members::of(*properties_value, members.where("properties"), routes_.result.file);
    if (!properties)
      return tl::unexpected(properties.error());
    const auto* document = properties->find("template");
    if (document == nullptr || !document->is_object()) {
      routes_.find(base::Severity::warning, members.where("properties"),
                   "deploys a template that is elsewhere; routes that it may "
                   "hold are not read");
      return {};
    }
    const auto path = properties->where("template");
    // "expressionEvaluationOptions": the default is "outer", whose expressions see the template around.
    const auto* options = properties->find("expressionevaluationoptions");
    const auto which =
        options == nullptr ? std::string_view{} : string_or_empty(find_member(*options, "scope"));
    if (!base::equal_without_case(which, "inner"))
      return resources(*document, path, scope, nullptr);
    Scope inner{*document, path, Scope::Given{properties->find("parameters"), &scope}, context_};
    return resources(*document, path, inner, nullptr);
  }

  // Without the members that no route depends on (`location`, `tags`): those may hold what nobody needs to know.
  static auto resolved(const Json& resource, Scope& scope) -> Json {
    auto result = Json::object();
    for (const auto& [name, value] : resource.get_ref<const Json::object_t&>()) {
      const auto key = lower_case(name);
      if (key != "resources" && !is_harmless_property(key))
        result[name] = scope.resolve(value);
    }
    return result;
  }

  auto read_table(const Json& resource, const std::string& path, Scope& scope) -> Read {
    const auto index = tables_.table(resolved(resource, scope), path);
    if (!index)
      return tl::unexpected(index.error());
    const auto name = routes_.result.tables[*index].name;
    by_name_.insert_or_assign(lower_case(name), *index);
    return resources(resource, path, scope, &name);
  }

  auto keep_child(const Json& resource, const std::string& path, Scope& scope, const std::string* table)
      -> Read {
    children_.push_back({resolved(resource, scope), table == nullptr ? "" : *table, path});
    return {};
  }

  auto read_child_of(const std::string& table, const Child& child, const std::string& name) -> Read {
    auto known = by_name_.find(lower_case(table));
    if (known == by_name_.end()) {
      const auto added = tables_.absent_table(table, child.path);
      if (!added)
        return tl::unexpected(added.error());
      known = by_name_.emplace(lower_case(table), *added).first;
    }
    return tables_.child(child.route, name, child.path, known->second);
  }

  auto read_child(const Child& child) -> Read {
    const auto* name = find_member(child.route, "name");
    if (name != nullptr && is_unknown(*name)) {
      const auto& table = child.table.empty() ? unknown_expression(*name) : child.table;
      return read_child_of(table, child, "");
    }
    const std::string text{string_or_empty(name)};
    if (!child.table.empty())
      return read_child_of(child.table, child, text);
    const auto slash = text.find('/');
    if (slash == 0 || slash == std::string::npos || slash + 1 == text.size() ||
        text.find('/', slash + 1) != std::string::npos)
      return refuse(child.path, fmt::format("the name {} is not \"TABLE/ROUTE\"", base::in_quotes(text)));
    return read_child_of(text.substr(0, slash), child, text.substr(slash + 1));
  }

  RouteCollector& routes_;
  RouteTableReader tables_;
  TemplateContext context_;
  std::vector<Child> children_;
  std::map<std::string, std::uint16_t> by_name_;  // of tables, in small letters
};

}  // namespace

auto read_template(const Json& document, const Json* parameters, RouteCollector& routes)
    -> tl::expected<void, base::Error> {
  return TemplateReader{routes}.read(document, parameters);
}

}  // namespace sekisho::formats
