// SPDX-License-Identifier: BSD-3-Clause
#include "control/formats/format.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "common/base/prefix.hpp"
#include "control/formats/azure.hpp"
#include "control/formats/azure_text.hpp"
#include "control/formats/clouds.hpp"
#include "control/formats/frr.hpp"
#include "control/formats/kernel_routes.hpp"
#include "control/formats/learned_routes.hpp"
#include "control/formats/mrt.hpp"
#include "control/formats/routers.hpp"
#include "control/formats/terraform.hpp"
#include "control/formats/text.hpp"

namespace sekisho::formats {
namespace {

// Two words a line may be anything, so that it is a text route file what no other row says is its own.
bool is_plain_text(const Content& content);

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
              .from = "terraform show -json (state or plan), terraform state "
                      "pull; OpenTofu",
              .is_json = true,
              .recognise = holds_terraform,
              .read = read_terraform},
    FormatRow{.format = Format::effective_routes,
              .name = "azure-effective",
              .holds = "Azure effective routes",
              .from = "az network nic show-effective-route-table; "
                      "Get-AzEffectiveRouteTable; REST",
              .is_json = true,
              .recognise = holds_effective_routes,
              .read = read_effective_file},
    FormatRow{.format = Format::effective_table,
              .name = "azure-effective-table",
              .holds = "Azure effective routes",
              .from = "az network nic show-effective-route-table --output table",
              .recognise = holds_effective_table,
              .read = read_effective_table},
    FormatRow{.format = Format::effective_csv,
              .name = "azure-effective-csv",
              .holds = "Azure effective routes",
              .from = "the portal: a NIC's effective routes, downloaded",
              .recognise = holds_effective_csv,
              .read = read_effective_csv},
    FormatRow{.format = Format::route_table_text,
              .name = "azure-table",
              .holds = "Azure route table",
              .from = "az network route-table route list --output table",
              .recognise = holds_route_columns,
              .read = read_route_columns},
    FormatRow{.format = Format::learned_routes,
              .name = "azure-learned",
              .holds = "routes that a gateway learned",
              .from = "az network vnet-gateway list-learned-routes; "
                      "routeserver peering; express-route",
              .is_json = true,
              .recognise = holds_learned_routes,
              .read = read_learned_routes},
    FormatRow{.format = Format::hub_routes,
              .name = "azure-hub",
              .holds = "routes of a virtual hub",
              .from = "az network vhub get-effective-routes, route-table show, "
                      "route list",
              .is_json = true,
              .recognise = holds_hub_routes,
              .read = read_hub_routes},
    FormatRow{.format = Format::routing_rules,
              .name = "azure-rules",
              .holds = "routing rules of Virtual Network Manager",
              .from = "az network manager routing-config rule-collection rule list",
              .is_json = true,
              .recognise = holds_routing_rules,
              .read = read_routing_rules},
    FormatRow{.format = Format::service_tags,
              .name = "azure-service-tags",
              .holds = "Azure service tags",
              .from = "ServiceTags_*.json; az network list-service-tags; REST",
              .is_json = true,
              .recognise = holds_service_tags,
              .read = read_service_tag_routes},
    FormatRow{.format = Format::aws,
              .name = "aws",
              .holds = "AWS route tables",
              .from = "aws ec2 describe-route-tables",
              .is_json = true,
              .recognise = holds_aws_tables,
              .read = read_aws_tables},
    FormatRow{.format = Format::gcloud,
              .name = "gcloud",
              .holds = "Google Cloud routes",
              .from = "gcloud compute routes list --format=json",
              .is_json = true,
              .recognise = holds_gcloud_routes,
              .read = read_gcloud_routes},
    FormatRow{.format = Format::ip_route_json,
              .name = "ip-route-json",
              .holds = "a Linux host's routes",
              .from = "ip -j route",
              .is_json = true,
              .recognise = holds_ip_route_json,
              .read = read_ip_route_json},
    FormatRow{.format = Format::ip_route,
              .name = "ip-route",
              .holds = "a Linux host's routes",
              .from = "ip route",
              .recognise = holds_ip_route,
              .read = read_ip_route},
    FormatRow{.format = Format::frr,
              .name = "frr",
              .holds = "FRR's routes",
              .from = "vtysh -c 'show ip route json'",
              .is_json = true,
              .recognise = holds_frr_routes,
              .read = read_frr_routes},
    FormatRow{.format = Format::bird,
              .name = "bird",
              .holds = "BIRD's routes",
              .from = "birdc show route [all]",
              .recognise = holds_bird_routes,
              .read = read_bird_routes},
    FormatRow{.format = Format::router_config,
              .name = "router-config",
              .holds = "a router's static routes",
              .from = "FRR, Cisco: show running-config (ip route PREFIX NEXT-HOP, "
                      "ip route ADDRESS MASK NEXT-HOP)",
              .recognise = holds_router_config,
              .read = read_router_config},
    FormatRow{.format = Format::text,
              .name = "text",
              .holds = "text",
              .from = "people: PREFIX [NEXT-HOP] a line",
              .recognise = is_plain_text,
              .read = [](const Content& content,
                         const Options& /*options*/) { return parse_text(content.bytes, content.file); },
              .write = write_text},
};

bool is_plain_text(const Content& content) {
  return std::ranges::none_of(table, [&](const FormatRow& row) {
    return !row.is_json && row.format != Format::text && row.recognise(content);
  });
}

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
    return refuse(content,
                  "is in none of the formats that are read (`sekisho "
                  "formats` lists them)");
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
  if (!options.parameters.empty() && (*row)->format != Format::arm_template)
    return refuse(content, fmt::format("is {}, not an ARM template: it takes no parameters", (*row)->holds));
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
  const auto* next = members->find("nextlink");
  const bool is_last = next == nullptr || (next->is_string() && next->get_ref<const std::string&>().empty());
  if (!is_last)
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
