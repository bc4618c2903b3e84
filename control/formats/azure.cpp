// SPDX-License-Identifier: BSD-3-Clause
#include "control/formats/azure.hpp"

#include <fmt/format.h>

#include <optional>
#include <utility>

#include "common/base/text.hpp"
#include "control/formats/azure_parts.hpp"
#include "control/formats/json.hpp"

namespace sekisho::formats {
namespace {

using Routes = tl::expected<RouteFile, base::Error>;

auto refuse(const std::filesystem::path& file, std::string path, std::string reason) {
  return tl::unexpected(base::Error{file, 0, std::move(reason), std::move(path)});
}

// Of the object or of the "properties" in it.
const Json* find_property(const Json& object, std::string_view name) {
  if (const auto* found = find_member(object, name))
    return found;
  const auto* properties = find_member(object, "properties");
  return properties == nullptr ? nullptr : find_member(*properties, name);
}

bool is_table(const Json& value) {
  const auto* type = find_member(value, "type");
  return find_property(value, "routes") != nullptr ||
         find_property(value, "disableBgpRoutePropagation") != nullptr ||
         (type != nullptr && type->is_string() &&
          base::equal_without_case(type->get_ref<const std::string&>(), "Microsoft.Network/routeTables"));
}
bool is_route(const Json& value) {
  return find_property(value, "addressPrefix") != nullptr && find_property(value, "nextHopType") != nullptr;
}
bool is_effective(const Json& value) {
  return find_member(value, "source") != nullptr || find_member(value, "state") != nullptr;
}
bool is_template(const Json& document) {
  return find_member(document, "resources") != nullptr && find_property(document, "routes") == nullptr;
}
// State, plan, and what `terraform show -json` prints of either.
bool is_terraform(const Json& document) {
  return find_member(document, "terraform_version") != nullptr;
}
bool is_service_tags(const Json& document) {
  return find_member(document, "values") != nullptr;
}

auto service_tag_routes(const Json& document, const std::filesystem::path& file) -> Routes {
  auto tags = service_tags_of(document, file);
  if (!tags)
    return tl::unexpected(std::move(tags.error()));
  RouteCollector routes{file, Format::service_tags};
  routes.result.findings = std::move(tags->findings);
  const auto no_next_hop = routes.next_hop({});
  for (const auto& tag : tags->tags) {
    if (!tag.routable)
      continue;
    const auto label = routes.label(tag.name);
    for (const auto prefix : tag.prefixes)
      routes.result.routes.push_back(
          {.prefix = prefix, .origin = origin_of(tag), .next_hop = no_next_hop, .label = label});
    routes.result.ipv6 += tag.ipv6;
  }
  return std::move(routes.result);
}

auto template_routes(const Json& document, const std::filesystem::path& file) -> Routes {
  RouteCollector routes{file, Format::route_table};
  if (const auto read = read_template(document, routes); !read)
    return tl::unexpected(read.error());
  if (routes.result.tables.empty())
    routes.find(base::Severity::warning, "$", "this template holds no route table");
  return std::move(routes.result);
}

auto effective_routes(const Json& rows, const std::string& path, const std::filesystem::path& file)
    -> Routes {
  RouteCollector routes{file, Format::effective_routes};
  if (const auto read = read_effective_routes(rows, path, routes); !read)
    return tl::unexpected(read.error());
  return std::move(routes.result);
}

// `az network route-table list`, `az network route-table route list`, and what REST answers to the same questions.
auto listed_routes(const Json& list, const std::string& path, const std::filesystem::path& file) -> Routes {
  RouteCollector routes{file, Format::route_table};
  RouteTableReader reader{routes};
  std::optional<std::size_t> nameless;  // the table of routes that come without theirs
  for (std::size_t i = 0; i < list.size(); ++i) {
    const auto place = element_path(path, i);
    if (is_table(list[i])) {
      if (const auto read = reader.table(list[i], place); !read)
        return tl::unexpected(read.error());
    } else if (is_route(list[i])) {
      if (!nameless)
        nameless = reader.absent_table("");
      if (const auto read = reader.route(list[i], place, *nameless); !read)
        return tl::unexpected(read.error());
    } else {
      return refuse(file, place, "is neither a route table nor a route");
    }
  }
  return std::move(routes.result);
}

auto read_list(const Json& list, const std::string& path, const std::filesystem::path& file) -> Routes {
  return !list.empty() && is_effective(list.front()) ? effective_routes(list, path, file)
                                                     : listed_routes(list, path, file);
}

}  // namespace

auto parse_azure(std::string_view text, const std::filesystem::path& file)
    -> tl::expected<RouteFile, base::Error> {
  const auto parsed = parse_json(text, file);
  if (!parsed)
    return tl::unexpected(parsed.error());
  const auto& document = *parsed;
  if (document.is_array())
    return read_list(document, "$", file);
  if (document.is_object() && document.empty())
    return RouteFile{.file = file, .format = Format::route_table};
  const auto members = Members::of(document, "$", file);
  if (!members)
    return tl::unexpected(members.error());
  if (is_terraform(document))
    return refuse(file, "$",
                  "is Terraform's, which is not read: save the route table as `az network route-table show` "
                  "prints it");
  // What stands on the pages behind is not here, and a part of a table is another table.
  // NOLINTNEXTLINE(readability-container-size-empty): empty() of JSON is about lists and objects, not about ""
  if (const auto* next = members->find("nextlink"); next != nullptr && *next != "")
    return members->refuse("nextlink", "the list goes on behind this link; save all of it");
  if (const auto* value = members->find("value")) {
    if (!value->is_array())
      return members->refuse("value", fmt::format("is {} where an array is expected", type_name(*value)));
    return read_list(*value, members->where("value"), file);
  }
  if (is_service_tags(document))
    return service_tag_routes(document, file);
  if (is_effective(document) && is_route(document))
    return effective_routes(document, "$", file);
  if (is_template(document))
    return template_routes(document, file);
  if (is_table(document) || is_route(document)) {
    RouteCollector routes{file, Format::route_table};
    RouteTableReader reader{routes};
    auto read = is_table(document) ? reader.table(document, "$").map([](std::size_t) {})
                                   : reader.route(document, "$", reader.absent_table(""));
    if (!read)
      return tl::unexpected(std::move(read.error()));
    return std::move(routes.result);
  }
  return refuse(file, "$",
                "is none of Azure's: no route table, template, list of effective routes or of service tags");
}

}  // namespace sekisho::formats
