// SPDX-License-Identifier: BSD-3-Clause
#include "control/formats/azure.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "common/base/text.hpp"
#include "control/formats/arm_parameters.hpp"
#include "control/formats/azure_parts.hpp"
#include "control/formats/json.hpp"
#include "control/formats/learned_routes.hpp"
#include "control/formats/terraform.hpp"

namespace sekisho::formats {
namespace {

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
// `az network route-table list`, `az network route-table route list`, and what REST answers to the same questions.
auto read_listed(const Content& content, RouteTableReader& reader) -> tl::expected<void, base::Error> {
  std::optional<std::uint16_t> nameless;  // the table of routes that come without theirs
  for (std::size_t i = 0; i < content.list->size(); ++i) {
    const auto& each = (*content.list)[i];
    const auto place = element_path(content.list_path, i);
    if (is_table(each)) {
      if (const auto read = reader.table(each, place); !read)
        return tl::unexpected(read.error());
    } else if (is_route(each)) {
      if (!nameless) {
        const auto added = reader.absent_table("", content.list_path);
        if (!added)
          return tl::unexpected(added.error());
        nameless = *added;
      }
      if (const auto read = reader.route(each, place, *nameless); !read)
        return read;
    } else {
      return tl::unexpected(base::Error{content.file, 0, "is neither a route table nor a route", place});
    }
  }
  return {};
}

}  // namespace

bool holds_effective_routes(const Content& content) {
  if (content.list != nullptr)
    return std::ranges::any_of(*content.list, is_effective);
  return is_effective(*content.document) && is_route(*content.document) && !holds_service_tags(content);
}

bool holds_service_tags(const Content& content) {
  return content.list == nullptr && find_member(*content.document, "values") != nullptr &&
         !holds_terraform(content);
}

bool holds_template(const Content& content) {
  const auto& document = *content.document;
  return content.list == nullptr && find_member(document, "resources") != nullptr &&
         find_property(document, "routes") == nullptr && !holds_terraform(content);
}

bool holds_route_tables(const Content& content) {
  const auto is_either = [](const Json& each) { return is_table(each) || is_route(each); };
  if (holds_effective_routes(content) || holds_service_tags(content) || holds_template(content) ||
      holds_hub_routes(content))
    return false;
  if (content.list != nullptr)
    return content.list->empty() || std::ranges::any_of(*content.list, is_either);
  return content.document->empty() || is_either(*content.document);
}

auto read_route_tables(const Content& content, const Options& /*options*/) -> Reading {
  RouteCollector routes{content.file, Format::route_table};
  RouteTableReader reader{routes};
  tl::expected<void, base::Error> read;
  if (content.list != nullptr)
    read = read_listed(content, reader);
  else if (content.document->empty())
    read = {};
  else if (is_table(*content.document) || !is_route(*content.document))
    read = reader.table(*content.document, "$").map([](std::uint16_t) {});
  else
    read = reader.absent_table("", "$").and_then(
        [&](std::uint16_t table) { return reader.route(*content.document, "$", table); });
  if (!read)
    return tl::unexpected(std::move(read.error()));
  return std::move(routes.result);
}

auto read_template_file(const Content& content, const Options& options) -> Reading {
  RouteCollector routes{content.file, Format::arm_template};
  std::optional<Json> parameters;
  if (!options.parameters.empty()) {
    auto passed = read_parameters(options.parameters, *content.document);
    if (!passed)
      return tl::unexpected(std::move(passed.error()));
    parameters = std::move(*passed);
  }
  if (const auto read = read_template(*content.document, parameters ? &*parameters : nullptr, routes); !read)
    return tl::unexpected(read.error());
  if (routes.result.tables.empty())
    routes.find(base::Severity::warning, "$", "this template holds no route table");
  return std::move(routes.result);
}

auto read_effective_file(const Content& content, const Options& /*options*/) -> Reading {
  RouteCollector routes{content.file, Format::effective_routes};
  const auto read = content.list != nullptr ? read_effective_routes(*content.list, content.list_path, routes)
                                            : read_effective_routes(*content.document, "$", routes);
  if (!read)
    return tl::unexpected(read.error());
  return std::move(routes.result);
}

auto read_service_tag_routes(const Content& content, const Options& /*options*/) -> Reading {
  auto tags = service_tags_of(*content.document, content.file);
  if (!tags)
    return tl::unexpected(std::move(tags.error()));
  RouteCollector routes{content.file, Format::service_tags};
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

}  // namespace sekisho::formats
