// SPDX-License-Identifier: BSD-3-Clause
#include "control/cli/prove_against.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/prefix.hpp"
#include "control/cli/client.hpp"
#include "control/cli/output.hpp"
#include "control/cli/running_table.hpp"
#include "control/cli/show_tables.hpp"
#include "control/netlink/interface_addresses.hpp"
#include "control/policy/policy.hpp"
#include "control/prove/compare.hpp"

namespace sekisho::cli {
namespace {

struct ZoneTable {
  std::string zone;
  LoadedTable table;
};

// One of the two.
struct Compared {
  std::vector<ZoneTable> zones;
  std::vector<prove::ZoneSources> sources;

  [[nodiscard]] const LoadedTable* table(std::string_view zone) const {
    const auto found = std::ranges::find(zones, zone, &ZoneTable::zone);
    return found == zones.end() ? nullptr : &found->table;
  }
};
using LoadingCompared = tl::expected<Compared, std::string>;

LoadingCompared compared_file(const std::string& file) {
  const auto policy =
      policy::read(file, netlink::addresses_by(netlink::snapshot().value_or(netlink::Mirror{})));
  if (!policy) {
    return tl::unexpected{policy.error().to_string()};
  }
  Compared world{.zones = {}, .sources = prove::zone_sources(**policy)};
  for (const auto& zone : (*policy)->zones) {
    world.zones.push_back({zone.name, {{*policy, &zone.table}, {*policy, &(*policy)->names}}});
  }
  return world;
}

LoadingCompared compared_running(Context& context) {
  const auto zones = ask(context, {{"command", "show"}, {"what", "zones"}});
  if (!zones) {
    return tl::unexpected{zones.error()};
  }
  Compared world;
  for (const auto& zone : *zones) {
    auto& sources = world.sources.emplace_back();
    sources.name = zone.at("name").get<std::string>();
    std::ranges::transform(zone.at("sources"), std::back_inserter(sources.sources), [](const Json& source) {
      return base::parse_prefix(source.get_ref<const std::string&>()).value();
    });
    auto table = load_running_table(context, sources.name, Hosts::with);
    if (!table) {
      return tl::unexpected{table.error()};
    }
    world.zones.push_back({sources.name, std::move(*table)});
  }
  return world;
}

// "10.0.0.0/8", or where it is no prefix "10.0.0.1-10.0.0.3".
std::string range_text(route::AddressSet::Range range) {
  const auto size = std::uint64_t{range.last} - range.first + 1;
  const auto is_prefix = (size & (size - 1)) == 0 && (range.first & (size - 1)) == 0;
  if (!is_prefix) {
    return base::address_to_string(range.first) + "-" + base::address_to_string(range.last);
  }
  std::uint8_t length = 32;
  for (auto left = size; left != 1; left >>= 1) {
    --length;
  }
  return base::to_string(base::Prefix{range.first, length});
}

std::string name_or_none(std::string_view name) {
  return name.empty() ? "no zone" : std::string{name};
}

void print_moved(const prove::Moved& moved) {
  fmt::print("  {:<33} {} -> {}\n", range_text(moved.range), name_or_none(moved.before),
             name_or_none(moved.after));
}

Json moved_json(const prove::Moved& moved) {
  const auto name = [](std::string_view text) { return text.empty() ? Json(nullptr) : Json(text); };
  return {{"first", base::address_to_string(moved.range.first)},
          {"last", base::address_to_string(moved.range.last)},
          {"before", name(moved.before)},
          {"after", name(moved.after)}};
}

// The names of both, sorted.
auto all_zones(const Compared& before, const Compared& after) -> std::vector<std::string> {
  std::vector<std::string> result;
  for (const auto* world : {&before, &after}) {
    std::ranges::transform(world->zones, std::back_inserter(result), &ZoneTable::zone);
  }
  std::ranges::sort(result);
  const auto again = std::ranges::unique(result);
  result.erase(again.begin(), again.end());
  return result;
}

// Whether anything goes elsewhere.
bool print_json_comparison(const Compared& before, const Compared& after) {
  bool differ = false;
  const auto print_list = [&](const auto& compare) {
    JsonArray list;
    const auto addresses = compare([&](const prove::Moved& moved) { list.add(moved_json(moved)); });
    list.close();
    fmt::print(", \"addresses\": {}", addresses);
    differ |= addresses != 0;
  };
  fmt::print("{{\"zones\": [");
  const char* between = "";
  for (const auto& name : all_zones(before, after)) {
    const auto* old = before.table(name);
    const auto* now = after.table(name);
    fmt::print("{}{{\"zone\": {}, \"change\": {}, \"moved\": ", between, Json(name).dump(),
               old == nullptr   ? "\"added\""
               : now == nullptr ? "\"removed\""
                                : "null");
    differ |= old == nullptr || now == nullptr;
    print_list([&](const prove::VisitMoved& visit) {
      return old == nullptr || now == nullptr ? std::uint64_t{0}
                                              : prove::moved_destinations(old->side(), now->side(), visit);
    });
    fmt::print("}}");
    between = ", ";
  }
  fmt::print("], \"sources\": {{\"moved\": ");
  print_list([&](const prove::VisitMoved& visit) {
    return prove::moved_sources(before.sources, after.sources, visit);
  });
  fmt::print("}}}}\n");
  return differ;
}

bool print_comparison(const Compared& before, const Compared& after) {
  bool differ = false;
  for (const auto& name : all_zones(before, after)) {
    const auto* old = before.table(name);
    const auto* now = after.table(name);
    if (old == nullptr || now == nullptr) {
      fmt::print("zone {}: {}\n", name, old == nullptr ? "is new" : "is gone");
      differ = true;
      continue;
    }
    bool is_first = true;
    const auto addresses =
        prove::moved_destinations(old->side(), now->side(), [&](const prove::Moved& moved) {
          if (is_first) {
            fmt::print("{}\n", toned(fmt::format("zone {}, destinations", name), Tone::heading));
            is_first = false;
          }
          print_moved(moved);
        });
    fmt::print("zone {}: {} destination address{} elsewhere\n", name, addresses,
               addresses == 1 ? " goes" : "es go");
    differ |= addresses != 0;
  }
  bool is_first = true;
  const auto sources = prove::moved_sources(before.sources, after.sources, [&](const prove::Moved& moved) {
    if (is_first) {
      fmt::print("{}\n", toned("sources", Tone::heading));
      is_first = false;
    }
    print_moved(moved);
  });
  fmt::print("{} source address{} of another zone\n", sources, sources == 1 ? " is" : "es are");
  return differ || sources != 0;
}

}  // namespace

Outcome prove_against(Context& context, const std::string& config, const std::string& against,
                      bool exit_code) {
  const auto before = compared_file(against);
  if (!before) {
    return tl::unexpected{before.error()};
  }
  const auto after = config.empty() ? compared_running(context) : compared_file(config);
  if (!after) {
    return tl::unexpected{after.error()};
  }
  const bool differ =
      context.json ? print_json_comparison(*before, *after) : print_comparison(*before, *after);
  if (exit_code && differ) {
    context.status = 1;
  }
  return {};
}

}  // namespace sekisho::cli
