// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "common/base/text.hpp"
#include "control/formats/preferred.hpp"
#include "control/formats/route_collector.hpp"
#include "control/formats/routers.hpp"
#include "control/formats/text_lines.hpp"

namespace sekisho::formats {
namespace {

using route::NextHopType;
using Words = std::span<const std::string_view>;
using Read = tl::expected<void, base::Error>;

constexpr std::array<std::string_view, 4> drops{"null0", "blackhole", "reject", "discard"};
// Behind these stands a word.
constexpr std::array<std::string_view, 8> keys{"name",        "tag", "track", "table",
                                               "nexthop-vrf", "vrf", "label", "color"};
constexpr std::array<std::string_view, 4> flags{"permanent", "onlink", "global", "multicast"};

bool is_one_of(std::span<const std::string_view> all, std::string_view word) {
  return std::ranges::any_of(all, [&](auto each) { return base::equal_without_case(each, word); });
}

bool is_route(Words words) {
  return words.size() > 3 && words[0] == "ip" && words[1] == "route" &&
         (words[2] == "vrf" || base::parse_address(words[2].substr(0, words[2].find('/'))));
}

auto parse_number(std::string_view word) -> std::optional<std::uint64_t> {
  std::uint64_t result = 0;
  const auto [end, code] = std::from_chars(word.data(), word.data() + word.size(), result);
  return code == std::errc{} && end == word.data() + word.size() ? std::optional{result} : std::nullopt;
}

class ConfigReader {
 public:
  ConfigReader(const Content& content, RouteCollector& routes) : content_(content), routes_(routes) {}

  auto read() -> Read {
    auto text = content_.bytes;
    while (!text.empty()) {
      ++line_;
      const auto line = next_line(text);
      const auto words = words_of_line(line);
      if (words.empty() || words[0].starts_with('!') || words[0].starts_with('#'))
        continue;
      // FRR's "vrf red" and NX-OS' "vrf context red" hold the lines that are indented behind them.
      if (line.front() != ' ' && line.front() != '\t')
        block_ = words[0] == "vrf" && (words.size() == 2 || words[1] == "context") ? words.back() : "default";
      if (is_route(words)) {
        if (const auto done = route(words); !done)
          return done;
      } else if (words.size() > 2 && words[0] == "ipv6" && words[1] == "route") {
        const auto table = table_of(block_);
        if (!table)
          return tl::unexpected(table.error());
        const auto opened = routes_.open(*table);
        routes_.leave_out_ipv6();
      } else {
        ++others_;
      }
    }
    candidates_.finish(routes_, "distance", Equals::share);
    if (others_ != 0)
      routes_.find(base::Severity::note, "",
                   fmt::format("{} other line{} of the configuration {} no static route", others_,
                               others_ == 1 ? "" : "s", others_ == 1 ? "is" : "are"));
    return {};
  }

 private:
  struct Static {
    base::Prefix prefix;
    std::string table;
    std::string elsewhere;  // the VRF that the next hop is in, if it is another
    NextHop next_hop;
    std::uint64_t distance = 1;
    bool has_next_hop = false;
  };

  auto refuse(std::string reason) const -> tl::unexpected<base::Error> {
    return tl::unexpected(base::Error{content_.file, line_, std::move(reason)});
  }

  auto route(Words words) -> Read {
    Static result;
    result.table = block_;
    words = words.subspan(2);
    if (words[0] == "vrf") {  // Cisco's
      result.table = words[1];
      words = words.subspan(2);
    }
    if (words.empty())
      return refuse("is a route without a destination");
    const bool has_mask = words[0].find('/') == std::string_view::npos;
    if (has_mask && words.size() < 2)
      return refuse("is a route without a mask");
    const auto prefix = has_mask ? with_mask(words[0], words[1]) : base::parse_prefix(words[0]);
    if (!prefix)
      return refuse(prefix.error());
    result.prefix = *prefix;
    if (const auto done = attributes(words.subspan(has_mask ? 2 : 1), result); !done)
      return done;
    if (!result.has_next_hop)
      return refuse("is a route without a next hop");
    return add(std::move(result));
  }

  static auto with_mask(std::string_view address, std::string_view mask)
      -> tl::expected<base::Prefix, base::ParseError> {
    const auto bits = base::parse_address(mask);
    const auto length = bits ? std::countl_one(*bits) : 0;
    if (!bits || (length < 32 && (*bits << length) != 0))
      return tl::unexpected(fmt::format("{} is no mask", base::in_quotes(mask)));
    return base::parse_prefix(fmt::format("{}/{}", address, length));
  }

  auto attributes(Words words, Static& route) const -> Read {
    for (std::size_t i = 0; i < words.size(); ++i) {
      const auto word = words[i];
      if (is_one_of(keys, word)) {
        if (++i == words.size())
          return refuse(fmt::format("nothing stands behind {}", base::in_quotes(word)));
        if (word == "table")
          route.table = fmt::format("table {}", words[i]);
        else if (word == "vrf")
          route.table = words[i];
        else if (word == "nexthop-vrf")
          route.elsewhere = words[i];
      } else if (is_one_of(flags, word)) {
        if (word == "global")
          route.elsewhere = "default";
      } else if (const auto address = base::parse_address(word)) {
        if (!route.next_hop.addresses.empty())
          return refuse(fmt::format("{} is a second next hop", word));
        route.next_hop = {.type = NextHopType::virtual_appliance, .name = {}, .addresses = {*address}};
        route.has_next_hop = true;
      } else if (const auto number = parse_number(word); number && route.has_next_hop) {
        route.distance = *number;
      } else if (route.has_next_hop || number) {
        return refuse(
            fmt::format("{} is no word of a static route that is known here", base::in_quotes(word)));
      } else {
        route.has_next_hop = true;
        route.next_hop =
            is_one_of(drops, word)
                ? NextHop{.type = NextHopType::none, .name = {}, .addresses = {}}
                : NextHop{.type = NextHopType::named, .name = std::string{word}, .addresses = {}};
      }
    }
    return {};
  }

  auto table_of(const std::string& name) -> tl::expected<std::uint16_t, base::Error> {
    const auto known = tables_.find(name);
    if (known != tables_.end())
      return known->second;
    const auto place = name.starts_with("table ") ? name : "vrf " + name;
    const auto index = routes_.add_table({.name = name, .place = place}, "");
    if (index)
      tables_.emplace(name, *index);
    return index;
  }

  auto add(Static route) -> Read {
    const auto table = table_of(route.table);
    if (!table)
      return tl::unexpected(table.error());
    if (!route.elsewhere.empty() && route.elsewhere != route.table) {
      const auto opened = routes_.open(*table);
      routes_.find(
          base::Severity::error, "",
          fmt::format("{} is left out: its next hop is in another VRF, {}, and no neighbour of this one",
                      base::to_string(route.prefix), base::in_quotes(route.elsewhere)),
          line_);
      return {};
    }
    candidates_.add(
        route.distance, *table,
        {.prefix = route.prefix, .next_hop = std::move(route.next_hop), .label = {}, .line = line_}, "");
    return {};
  }

  const Content& content_;
  RouteCollector& routes_;
  unsigned line_ = 0;
  std::string block_ = "default";
  std::size_t others_ = 0;
  std::map<std::string, std::uint16_t> tables_;
  Preferred candidates_;
};

}  // namespace

bool holds_router_config(const Content& content) {
  return any_line(content.bytes, [](const std::vector<std::string_view>& words) { return is_route(words); });
}

auto read_router_config(const Content& content, const Options& /*options*/) -> Reading {
  RouteCollector routes{content.file, Format::router_config};
  if (const auto read = ConfigReader{content, routes}.read(); !read)
    return tl::unexpected(read.error());
  return std::move(routes.result);
}

}  // namespace sekisho::formats
