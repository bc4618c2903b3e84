// SPDX-License-Identifier: BSD-3-Clause
#include "control/formats/write.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "common/base/error.hpp"
#include "common/base/prefix.hpp"
#include "common/base/text.hpp"

namespace sekisho::formats {
namespace {

using Ordered = nlohmann::ordered_json;  // the order of keys is that of writing
using route::NextHopType;

auto dump(const Ordered& json) -> std::string {
  return json.dump(-1, ' ', false, Ordered::error_handler_t::replace);
}

auto next_hop_texts(const RouteFile& file) -> std::vector<std::string> {
  std::vector<std::string> texts;
  std::ranges::transform(file.next_hops, std::back_inserter(texts),
                         [](const NextHop& next_hop) { return formats::to_string(next_hop); });
  return texts;
}

// A route table's names are its routes' identifiers, so that no two may be the same.
class RouteNames {
 public:
  auto name(std::string_view label) -> std::string {
    std::string result{label};
    while (result.empty() || !used_.insert(result).second) {
      result = fmt::format("{}-{}", label.empty() ? "route" : label, ++last_);
    }
    return result;
  }

 private:
  std::unordered_set<std::string> used_;
  std::size_t last_ = 0;
};

// REST API, RoutePropertiesFormat without its addressPrefix.
auto azure_properties(const NextHop& next_hop) -> Ordered {
  Ordered properties{{"nextHopType", route::to_string(next_hop.type)}};
  if (next_hop.type == NextHopType::virtual_appliance) {
    properties["nextHopIpAddress"] = formats::to_string(next_hop);
  } else if (next_hop.type == NextHopType::virtual_appliance_ecmp) {
    auto addresses = Ordered::array();
    for (const auto address : next_hop.addresses) {
      addresses.push_back(base::address_to_string(address));
    }
    properties["nextHop"] = {{"nextHopIpAddresses", std::move(addresses)}};
  }
  return properties;
}

// The routes of one table, a line each.
class AzureTable {
 public:
  explicit AzureTable(const Sink& sink) : sink_(sink) {}

  void add(std::string_view label, std::string_view destination, const Ordered& next_hop) {
    Ordered properties{{"addressPrefix", destination}};
    properties.update(next_hop);
    sink_(empty_ ? "\n  " : ",\n  ");
    sink_(dump({{"name", names_.name(label)}, {"properties", std::move(properties)}}));
    empty_ = false;
  }

 private:
  const Sink& sink_;
  RouteNames names_;
  bool empty_ = true;
};

// A text file would be read with another next hop: "internet", which is a resource's name, as Azure's type.
auto refuse_names_of_types(const RouteFile& file) -> tl::expected<void, std::string> {
  std::vector<bool> is_refused;
  std::ranges::transform(file.next_hops, std::back_inserter(is_refused), [](const NextHop& next_hop) {
    return next_hop.type == NextHopType::named && parse_next_hop(formats::to_string(next_hop)) != next_hop;
  });
  const auto route =
      std::ranges::find_if(file.routes, [&](const FileRoute& each) { return is_refused[each.next_hop]; });
  if (route == file.routes.end()) {
    return {};
  }
  const base::Error error{
      file.file, route->line,
      fmt::format("{}: next hop {} is a name that text says for something else",
                  base::to_string(route->prefix), base::in_quotes(file.next_hops[route->next_hop].name))};
  return tl::unexpected{error.to_string()};
}

auto refuse_next_hops(const RouteFile& file) -> tl::expected<void, std::string> {
  const auto is_refused = [&](const FileRoute& route) {
    return file.next_hops[route.next_hop].type == NextHopType::named;
  };
  const auto route = std::ranges::find_if(file.routes, is_refused);
  if (route == file.routes.end()) {
    return {};
  }
  const auto& next_hop = file.next_hops[route->next_hop];
  const auto reason =
      next_hop.is_missing()
          ? std::string{"has no next hop, and in Azure every route has one: --next-hop gives it"}
          : fmt::format(
                "next hop {} is neither an address nor a next-hop type, and Azure knows "
                "nothing else",
                next_hop.name);
  const base::Error error{file.file, route->line,
                          fmt::format("{}: {}", base::to_string(route->prefix), reason)};
  return tl::unexpected{error.to_string()};
}

// {"name": .., "properties": {"disableBgpRoutePropagation": .., without what follows in "properties".
auto open_table(const std::vector<RouteFile>& files) -> std::string {
  std::vector<const TableSummary*> tables;
  for (const auto& file : files) {
    for (const auto& table : file.tables) {
      tables.push_back(&table);
    }
  }
  const auto* only = tables.size() == 1 ? tables.front() : nullptr;
  auto name = only != nullptr ? only->name : std::string{};
  if (name.empty()) {
    const auto file = files.front().file.filename().string();
    name = file.substr(0, file.find('.'));
  }
  return fmt::format("{{\"name\": {}, \"properties\": {{\"disableBgpRoutePropagation\": {}, {}\"routes\": [",
                     dump(name), only != nullptr && !only->takes_bgp,
                     only != nullptr && !only->takes_peerings ? "\"disablePeeringRoute\": \"All\", " : "");
}

}  // namespace

auto write_text(const std::vector<RouteFile>& files, const Sink& sink)
    -> tl::expected<std::size_t, std::string> {
  for (const auto& file : files) {
    if (!file.tag_routes.empty()) {
      return tl::unexpected{
          fmt::format("{}: {}: a route to the service tag {}: --tags names the file that has its prefixes",
                      file.file.string(), file.tag_routes.front().path, file.tag_routes.front().tag)};
    }
    if (const auto outcome = refuse_names_of_types(file); !outcome) {
      return tl::unexpected{outcome.error()};
    }
  }
  for (const auto& file : files) {
    const auto next_hops = next_hop_texts(file);
    for (const auto& route : file.routes) {
      sink(fmt::format("{} {}\n", base::to_string(route.prefix), next_hops[route.next_hop]));
    }
  }
  return 0;
}

void write_json(const std::vector<RouteFile>& files, const std::function<void(const Ordered&)>& each) {
  for (const auto& file : files) {
    const auto next_hops = next_hop_texts(file);
    const auto add = [&](Ordered prefix, Ordered tag, std::uint32_t next_hop, std::uint32_t label,
                         route::Origin origin, unsigned line, bool in_force = true) {
      const auto& hop = file.next_hops[next_hop];
      each({{"prefix", std::move(prefix)},
            {"tag", std::move(tag)},
            {"next_hop", hop.is_missing() ? Ordered(nullptr) : Ordered(next_hops[next_hop])},
            {"next_hop_type",
             hop.type == NextHopType::named ? Ordered(nullptr) : Ordered(route::to_string(hop.type))},
            {"origin", route::to_string(origin)},
            {"label", file.labels[label].empty() ? Ordered(nullptr) : Ordered(file.labels[label])},
            {"in_force", in_force},
            {"file", file.file.string()},
            {"line", line == 0 ? Ordered(nullptr) : Ordered(line)}});
    };
    for (const auto& route : file.routes) {
      add(base::to_string(route.prefix), nullptr, route.next_hop, route.label, route.origin, route.line);
    }
    for (const auto& route : file.invalid) {
      add(base::to_string(route.prefix), nullptr, route.next_hop, route.label, route.origin, route.line,
          false);
    }
    for (const auto& route : file.tag_routes) {
      add(nullptr, route.tag, route.next_hop, route.label, route::Origin::user, 0);
    }
  }
}

auto write_azure(const std::vector<RouteFile>& files, const Sink& sink)
    -> tl::expected<std::size_t, std::string> {
  for (const auto& file : files) {
    if (const auto outcome = refuse_next_hops(file); !outcome) {
      return tl::unexpected{outcome.error()};
    }
  }
  sink(open_table(files));
  AzureTable table{sink};
  std::size_t left_out = 0;
  for (const auto& file : files) {
    std::vector<Ordered> next_hops;
    std::ranges::transform(file.next_hops, std::back_inserter(next_hops), azure_properties);
    const auto add = [&](std::string_view destination, std::uint32_t next_hop, std::uint32_t label) {
      if (route::is_output_only(file.next_hops[next_hop].type)) {
        ++left_out;
      } else {
        table.add(file.labels[label], destination, next_hops[next_hop]);
      }
    };
    for (const auto& route : file.routes) {
      add(base::to_string(route.prefix), route.next_hop, route.label);
    }
    for (const auto& route : file.tag_routes) {
      add(route.tag, route.next_hop, route.label);
    }
  }
  sink("\n]}}\n");
  return left_out;
}

}  // namespace sekisho::formats
