// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "common/base/text.hpp"
#include "control/formats/route_collector.hpp"
#include "control/formats/routers.hpp"
#include "control/formats/text_lines.hpp"

namespace sekisho::formats {
namespace {

using route::NextHopType;
using route::Origin;
using Words = std::span<const std::string_view>;
using Read = tl::expected<void, base::Error>;

constexpr std::array<std::string_view, 6> types{"unicast",     "multipath",  "blackhole",
                                                "unreachable", "prohibited", "prohibit"};

bool is_type(std::string_view word) {
  return std::ranges::find(types, word) != types.end();
}
bool is_prefix(std::string_view word) {
  return word.find('/') != std::string_view::npos &&
         (base::parse_prefix(word) || word.find(':') != std::string_view::npos);
}
bool is_hop(std::string_view word) {
  return word == "via" || word == "dev";
}

// "unicast [static1 12:49:31] * (200)", "via 10.0.0.1 on eth0 [bgp1 10:00] * (100) [AS65001i]"
bool is_entry(Words words) {
  return words.size() > 1 &&
         (is_type(words[0]) ? words[1].starts_with('[')
                            : is_hop(words[0]) && std::ranges::any_of(words, [](auto word) {
                                return word.starts_with('[');
                              }));
}

class BirdReader {
 public:
  BirdReader(const Content& content, RouteCollector& routes) : content_(content), routes_(routes) {}

  auto read() -> Read {
    auto text = content_.bytes;
    while (!text.empty()) {
      ++line_;
      const auto line = next_line(text);
      const auto words = words_of_line(line);
      if (words.empty() || words[0].starts_with('#') || words[0] == "BIRD" || words[0] == "bird>")
        continue;
      if (const auto done = line.front() == ' ' || line.front() == '\t' ? continued(words) : begun(words);
          !done)
        return done;
    }
    return flush();
  }

 private:
  struct Entry {
    std::optional<base::Prefix> prefix;  // nullopt: of IPv6
    std::string_view type;
    std::string_view protocol;
    bool is_preferred = false;
    bool is_learned = false;
    std::vector<std::uint32_t> addresses;
    std::set<std::string> devices;
    std::set<std::string_view> weights;
    unsigned line = 0;
  };

  auto refuse(std::string reason) const -> tl::unexpected<base::Error> {
    return tl::unexpected(base::Error{content_.file, line_, std::move(reason)});
  }

  // "Table master4:", or a prefix and the first of its routes.
  auto begun(Words words) -> Read {
    if (const auto done = flush(); !done)
      return done;
    if (words.size() == 2 && words[0] == "Table" && words[1].ends_with(':')) {
      table_ = words[1].substr(0, words[1].size() - 1);
      return {};
    }
    if (!is_prefix(words[0]) || !is_entry(words.subspan(1)))
      return refuse(fmt::format("{} begins no route that BIRD prints", base::in_quotes(words[0])));
    const auto prefix = base::parse_prefix(words[0]);
    prefix_ = prefix ? std::optional{*prefix} : std::nullopt;
    if (!prefix_)
      routes_.leave_out_ipv6();
    return entry(words.subspan(1));
  }

  // Another route of the prefix, a next hop, or what `show route all` says besides.
  auto continued(Words words) -> Read {
    if (is_entry(words))
      return flush().and_then([&] { return entry(words); });
    if (is_hop(words[0]) && entry_)
      return hop(words);
    return entry_ && words[0].ends_with(':')
               ? Read{}
               : refuse(fmt::format("{} is no word that BIRD prints", base::in_quotes(words[0])));
  }

  auto entry(Words words) -> Read {
    entry_ = Entry{.prefix = prefix_,
                   .type = words[0],
                   .protocol = {},
                   .addresses = {},
                   .devices = {},
                   .weights = {},
                   .line = line_};
    const auto bracket = std::ranges::find_if(words, [](auto word) { return word.starts_with('['); });
    entry_->protocol = bracket->substr(1, bracket->find(']') - 1);
    const auto behind =
        std::ranges::find_if(bracket, words.end(), [](auto word) { return word.ends_with(']'); });
    bool is_ranked = false;
    for (auto word = behind; word != words.end(); ++word) {
      entry_->is_preferred = entry_->is_preferred || *word == "*" || *word == "!" || *word == "*!";
      entry_->is_learned = entry_->is_learned || (is_ranked && word->starts_with('['));
      is_ranked = is_ranked || word->starts_with('(');
    }
    return is_hop(words[0]) ? hop(words.first(static_cast<std::size_t>(bracket - words.begin()))) : Read{};
  }

  // "via 10.0.0.1 on eth0 weight 1", "dev eth0"
  auto hop(Words words) -> Read {
    if (words.size() < 2)
      return refuse(fmt::format("nothing stands behind {}", base::in_quotes(words[0])));
    if (!entry_->prefix)
      return {};
    if (words[0] == "dev") {
      entry_->devices.emplace(words[1]);
      return {};
    }
    const auto address = parse_next_hop_address(std::string{words[1]});
    if (!address)
      return refuse(address.error());
    if (std::ranges::find(entry_->addresses, *address) == entry_->addresses.end())
      entry_->addresses.push_back(*address);
    const auto weight = std::ranges::find(words, "weight");
    entry_->weights.insert(words.end() - weight > 1 ? weight[1] : "1");
    return {};
  }

  auto flush() -> Read {
    const auto done = std::exchange(entry_, std::nullopt);
    if (!done || !done->prefix)
      return {};
    auto next_hop = next_hop_of(*done);
    if (!next_hop)
      return tl::unexpected(base::Error{content_.file, done->line, next_hop.error()});
    const auto [known, added] = tables_.try_emplace(table_, 0);
    if (added) {
      const auto index = routes_.add_table({.name = table_, .place = "table " + table_}, "");
      if (!index)
        return tl::unexpected(index.error());
      known->second = *index;
    }
    const auto opened = routes_.open(known->second);
    if (done->is_preferred && done->weights.size() > 1)
      routes_.find(base::Severity::warning, "",
                   fmt::format("{} has next hops of different weights, and all are taken alike",
                               base::to_string(*done->prefix)),
                   done->line);
    routes_.add({.prefix = *done->prefix,
                 .origin = done->is_learned                       ? Origin::bgp
                           : done->protocol.starts_with("direct") ? Origin::system
                                                                  : Origin::user,
                 .next_hop = std::move(*next_hop),
                 .label = {},
                 .line = done->line,
                 .in_force = done->is_preferred});
    return {};
  }

  static auto next_hop_of(const Entry& entry) -> tl::expected<NextHop, std::string> {
    NextHop result{.type = NextHopType::none, .name = {}, .addresses = entry.addresses};
    if (entry.addresses.empty() && entry.devices.empty())
      return is_type(entry.type) && entry.type != "unicast" && entry.type != "multipath"
                 ? tl::expected<NextHop, std::string>{result}
                 : tl::unexpected(std::string{"is a route without a next hop"});
    if (entry.devices.size() > 1 || (!entry.addresses.empty() && !entry.devices.empty()))
      return tl::unexpected(std::string{"has a next hop without an address among several"});
    if (entry.addresses.size() > most_ecmp)
      return tl::unexpected(fmt::format("has more than {} next hops", most_ecmp));
    if (entry.addresses.empty()) {
      const bool is_direct = entry.protocol.starts_with("direct");
      result.type = is_direct ? NextHopType::vnet_local : NextHopType::named;
      result.name = is_direct ? "" : *entry.devices.begin();
    } else {
      result.type =
          entry.addresses.size() == 1 ? NextHopType::virtual_appliance : NextHopType::virtual_appliance_ecmp;
    }
    return result;
  }

  const Content& content_;
  RouteCollector& routes_;
  unsigned line_ = 0;
  std::string table_ = "master4";
  std::map<std::string, std::uint16_t> tables_;
  std::optional<base::Prefix> prefix_;
  std::optional<Entry> entry_;
};

}  // namespace

bool holds_bird_routes(const Content& content) {
  return any_line(content.bytes, [](const std::vector<std::string_view>& words) {
    return words.size() > 2 && is_prefix(words[0]) && is_entry(Words{words}.subspan(1));
  });
}

auto read_bird_routes(const Content& content, const Options& /*options*/) -> Reading {
  RouteCollector routes{content.file, Format::bird};
  if (const auto read = BirdReader{content, routes}.read(); !read)
    return tl::unexpected(read.error());
  return std::move(routes.result);
}

}  // namespace sekisho::formats
