// SPDX-License-Identifier: BSD-3-Clause
#include "bench/tables.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "common/base/file.hpp"
#include "common/base/prefix.hpp"
#include "control/config/presets.hpp"
#include "control/formats/compression.hpp"
#include "tests/unit/fib/tables.hpp"

namespace sekisho::bench {
namespace {

constexpr std::size_t internet_size = 901'899;
constexpr std::size_t tags_size = 27'645;
constexpr unsigned tags_next_hops = 4;

void sort_unique(std::vector<fib::Route>& routes) {
  const auto less = [](const auto& a, const auto& b) { return a.prefix < b.prefix; };
  const auto same = [](const auto& a, const auto& b) { return a.prefix == b.prefix; };
  std::stable_sort(routes.begin(), routes.end(), less);
  routes.erase(std::unique(routes.begin(), routes.end(), same), routes.end());
}

void add(Table& table, std::string_view prefix, fib::Value next_hop) {
  table.routes.push_back({.prefix = base::parse_prefix(prefix).value(), .value = next_hop});
}

void add_halves(Table& table, fib::Value next_hop) {
  add(table, "0.0.0.0/1", next_hop);
  add(table, "128.0.0.0/1", next_hop);
}

Table make_nva() {
  constexpr fib::Value firewall = 1, none = 2, host = 3, kms = 4, vnet = 5;
  Table table{.name = "nva", .source = "built in", .routes = {}};
  add_halves(table, firewall);
  for (const auto* const block : {"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"}) {
    add(table, block, none);
  }
  fib::Value next = vnet;
  for (const auto* const network : {"10.0.0.0/16", "10.1.0.0/16", "172.20.0.0/22"}) {
    add(table, network, next++);
  }
  for (const base::Prefix server : config::kms_addresses("public")) {
    table.routes.push_back({.prefix = server, .value = kms});
  }
  add(table, "168.63.129.16/32", host);
  add(table, "169.254.169.254/32", host);
  return table;
}

// "networkFeatures": a tag without UDR among them cannot stand in a route.
auto read_tags(const std::filesystem::path& file) -> tl::expected<std::vector<base::Prefix>, std::string> {
  auto bytes = base::read_file(file);
  if (bytes) {
    bytes = formats::inflate(*bytes, file);
  }
  if (!bytes) {
    return tl::unexpected(bytes.error().to_string());
  }
  const auto json = nlohmann::json::parse(*bytes);
  std::vector<base::Prefix> prefixes;
  for (const auto& tag : json.at("values")) {
    const auto& properties = tag.at("properties");
    const auto features = properties.value("networkFeatures", nlohmann::json::array());
    if (std::find(features.begin(), features.end(), "UDR") == features.end()) {
      continue;
    }
    for (const auto& text : properties.at("addressPrefixes")) {
      if (const auto prefix = base::parse_prefix(text.get<std::string>())) {  // the others are IPv6
        prefixes.push_back(*prefix);
      }
    }
  }
  return prefixes;
}

// Lengths as the tags have them: a third /32, most longer than /24, in a few thousand clusters.
auto generate_tags() -> std::vector<base::Prefix> {
  std::vector<base::Prefix> prefixes;
  for (const auto& prefix : fib::testing::generate_table(internet_size)) {
    // Three longer prefixes in each of some /24s.
    if (prefix.length == 24 && prefixes.size() < tags_size) {
      prefixes.push_back({.address = prefix.address | 4, .length = 32});
      prefixes.push_back({.address = prefix.address | 32, .length = 29});
      prefixes.push_back({.address = prefix.address | 128, .length = 27});
    }
  }
  return prefixes;
}

auto make_tags() -> tl::expected<Table, std::string> {
  Table table{.name = "tags", .source = "generated", .routes = {}};
  std::vector<base::Prefix> prefixes;
  if (const auto file = fib::testing::find_data("azure/ServiceTags_Public_20251117.json.gz")) {
    auto tags = read_tags(*file);
    if (!tags) {
      return tl::unexpected(tags.error());
    }
    prefixes = std::move(*tags);
    table.source = file->filename().string();
  } else {
    prefixes = generate_tags();
  }
  table.routes = spread(prefixes, tags_next_hops);
  add_halves(table, tags_next_hops + 1);
  sort_unique(table.routes);
  return table;
}

Table make_full(std::string_view name, unsigned next_hops) {
  const auto file = fib::testing::find_data("tables/bart-tier1-2023.v4.tsv.gz");
  Table table{
      .name = std::string{name},
      .source = file ? file->filename().string() : "generated",
      .routes = spread(file ? fib::testing::read_table(*file) : fib::testing::generate_table(internet_size),
                       next_hops)};
  sort_unique(table.routes);
  return table;
}

// The finalizer of MurmurHash3.
constexpr std::uint64_t mix(std::uint64_t value) noexcept {
  value ^= value >> 33;
  value *= 0xff51afd7ed558ccdULL;
  value ^= value >> 33;
  value *= 0xc4ceb9fe1a85ec53ULL;
  return value ^ value >> 33;
}

}  // namespace

auto spread(std::span<const base::Prefix> prefixes, unsigned count) -> std::vector<fib::Route> {
  std::vector<fib::Route> routes;
  routes.reserve(prefixes.size());
  for (const base::Prefix prefix : prefixes) {
    const auto hash = mix(std::uint64_t{prefix.address} << 8 | prefix.length);
    routes.push_back({.prefix = prefix, .value = static_cast<fib::Value>(1 + hash % count)});
  }
  return routes;
}

fib::Value Table::highest_next_hop() const {
  fib::Value highest = fib::no_route;
  for (const auto& route : routes) {
    highest = std::max(highest, route.value);
  }
  return highest;
}

unsigned Table::extended_blocks() const {
  unsigned count = 0;
  std::uint32_t last = ~std::uint32_t{0};  // no /24 has this number
  for (const auto& [prefix, next_hop] : routes) {
    if (prefix.length > 24 && prefix.address >> 8 != last) {
      last = prefix.address >> 8;
      ++count;
    }
  }
  return count;
}

auto make_table(std::string_view name) -> tl::expected<Table, std::string> {
  if (name == "nva") {
    auto table = make_nva();
    sort_unique(table.routes);
    return table;
  }
  if (name == "tags") {
    return make_tags();
  }
  if (name == "full") {
    return make_full(name, 16);
  }
  if (name == "full200") {
    return make_full(name, 200);
  }
  return tl::unexpected(fmt::format("there is no table \"{}\"", name));
}

}  // namespace sekisho::bench
