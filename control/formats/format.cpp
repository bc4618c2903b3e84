// SPDX-License-Identifier: BSD-3-Clause
#include "control/formats/format.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "common/base/prefix.hpp"
#include "control/formats/azure.hpp"
#include "control/formats/mrt.hpp"
#include "control/formats/text.hpp"

namespace sekisho::formats {
namespace {

constexpr std::array table{
    FormatRow{
        .format = Format::mrt,
        .name = "mrt",
        .holds = "MRT",
        .from = "bgpd, BIRD, collectors: RIB dumps (RFC 6396)",
        .recognise = [](const Content& content) { return is_mrt(content.bytes); },
        .read = [](const Content& content,
                   const Options& options) { return parse_mrt(content.bytes, content.file, options.peer); }},
    FormatRow{.format = Format::route_table,
              .name = "azure",
              .holds = "Azure route table",
              .from = "az network route-table [route] show, list; Get-AzRouteTable; REST",
              .is_json = true,
              .recognise = holds_route_tables,
              .read = read_route_tables,
              .write = write_azure},
    FormatRow{.format = Format::arm_template,
              .name = "azure-template",
              .holds = "ARM template",
              .from = "az group export, az bicep build, the portal's export",
              .is_json = true,
              .recognise = holds_template,
              .read = read_template_file},
    FormatRow{.format = Format::terraform,
              .name = "terraform",
              .holds = "Terraform",
              .from = "terraform show -json, terraform state pull: refused by name",
              .is_json = true,
              .recognise = holds_terraform,
              .read = refuse_terraform},
    FormatRow{.format = Format::effective_routes,
              .name = "azure-effective",
              .holds = "Azure effective routes",
              .from = "az network nic show-effective-route-table; Get-AzEffectiveRouteTable; REST",
              .is_json = true,
              .recognise = holds_effective_routes,
              .read = read_effective_file},
    FormatRow{.format = Format::service_tags,
              .name = "azure-service-tags",
              .holds = "Azure service tags",
              .from = "ServiceTags_*.json; az network list-service-tags; REST",
              .is_json = true,
              .recognise = holds_service_tags,
              .read = read_service_tag_routes},
    FormatRow{.format = Format::text,
              .name = "text",
              .holds = "text",
              .from = "people: PREFIX [NEXT-HOP] a line",
              .recognise = [](const Content& content) { return !is_mrt(content.bytes); },
              .read = [](const Content& content,
                         const Options& /*options*/) { return parse_text(content.bytes, content.file); },
              .write = write_text},
};

auto refuse(const Content& content, std::string reason) {
  return tl::unexpected(
      base::Error{content.file, 0, std::move(reason), content.document == nullptr ? "" : "$"});
}

auto recognise(const Content& content) -> tl::expected<const FormatRow*, base::Error> {
  std::vector<const FormatRow*> rows;
  for (const auto& row : table)
    if (row.is_json == (content.document != nullptr) && row.recognise(content))
      rows.push_back(&row);
  if (rows.size() == 1)
    return rows.front();
  if (rows.empty())
    return refuse(content, "is in none of the formats that are read (`sekisho formats` lists them)");
  std::vector<std::string_view> names;
  std::ranges::transform(rows, std::back_inserter(names), &FormatRow::name);
  return refuse(content, fmt::format("may be in any of several formats: --format says which, {}",
                                     fmt::join(names, " or ")));
}

auto read(const Content& content, const Options& options) -> Reading {
  if (options.format && row_of(*options.format).is_json != (content.document != nullptr))
    return refuse(content, fmt::format("is not {}: it is {}JSON", row_of(*options.format).name,
                                       content.document == nullptr ? "no " : ""));
  const auto row = options.format ? tl::expected<const FormatRow*, base::Error>{&row_of(*options.format)}
                                  : recognise(content);
  if (!row)
    return tl::unexpected(row.error());
  if (options.peer && (*row)->format != Format::mrt)
    return tl::unexpected(
        base::Error{content.file, 0,
                    fmt::format("is not an MRT file: it has no routes of a peer, {} or another",
                                base::address_to_string(*options.peer))});
  return (*row)->read(content, options);
}

// REST answers with {"value": [..], "nextLink": ..}, az prints the list alone.
auto find_list(Content& content) -> tl::expected<void, base::Error> {
  const auto& document = *content.document;
  if (document.is_array()) {
    content.list = &document;
    content.list_path = "$";
    return {};
  }
  const auto members = Members::of(document, "$", content.file);
  if (!members)
    return tl::unexpected(members.error());
  // What stands on the pages behind is not here, and a part of a table is another table.
  // NOLINTNEXTLINE(readability-container-size-empty): empty() of JSON is about lists and objects, not about ""
  if (const auto* next = members->find("nextlink"); next != nullptr && *next != "")
    return members->refuse("nextlink", "the list goes on behind this link; save all of it");
  const auto* value = members->find("value");
  if (value == nullptr)
    return {};
  if (!value->is_array())
    return members->refuse("value", fmt::format("is {} where an array is expected", type_name(*value)));
  content.list = value;
  content.list_path = members->where("value");
  return {};
}

}  // namespace

std::span<const FormatRow> formats() noexcept {
  return table;
}

const FormatRow& row_of(Format format) noexcept {
  return *std::ranges::find(table, format, &FormatRow::format);
}

const FormatRow* find_format(std::string_view name) noexcept {
  const auto* const found = std::ranges::find(table, name, &FormatRow::name);
  return found == table.end() ? nullptr : found;
}

std::string_view to_string(Format format) noexcept {
  return row_of(format).holds;
}

auto parse_document(std::string_view text, const std::filesystem::path& file, const Options& options)
    -> Reading {
  const auto document = parse_json(text, file);
  if (!document)
    return tl::unexpected(document.error());
  Content content{.file = file, .bytes = text, .document = &*document};
  if (const auto found = find_list(content); !found)
    return tl::unexpected(found.error());
  return read(content, options);
}

auto parse_routes(std::string_view bytes, const std::filesystem::path& file, const Options& options)
    -> Reading {
  return is_json(bytes) ? parse_document(bytes, file, options)
                        : read({.file = file, .bytes = bytes}, options);
}

}  // namespace sekisho::formats
