// SPDX-License-Identifier: BSD-3-Clause
// `ip route`: a route a line, and behind a multipath route a line for each next hop (ip-route(8)).
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "common/base/text.hpp"
#include "control/formats/kernel_routes.hpp"
#include "control/formats/routers.hpp"
#include "control/formats/text_lines.hpp"

namespace sekisho::formats {
namespace {

constexpr std::array<std::string_view, 9> types{"unicast", "blackhole", "unreachable", "prohibit", "throw",
                                                "local",   "broadcast", "multicast",   "anycast"};
// Behind these stands a word.
constexpr std::array<std::string_view, 27> keys{
    "via",   "dev",    "proto",    "scope",  "src",    "metric", "table",    "nhid",     "weight",
    "mtu",   "advmss", "rtt",      "rttvar", "window", "cwnd",   "initcwnd", "initrwnd", "ssthresh",
    "realm", "realms", "hoplimit", "pref",   "error",  "tos",    "expires",  "congctl",  "encap"};
constexpr std::array<std::string_view, 10> flags{"onlink", "linkdown", "dead",  "pervasive",  "offload",
                                                 "trap",   "notify",   "cache", "unresolved", "rt_trap"};

bool is_one_of(std::span<const std::string_view> all, std::string_view word) {
  return std::ranges::find(all, word) != all.end();
}

bool is_destination(std::string_view word) {
  return word == "default" || (!word.empty() && (word.front() >= '0' && word.front() <= '9')) ||
         word.find(':') != std::string_view::npos;
}

class LineReader {
 public:
  LineReader(const Content& content, KernelRoutes& kernel) : content_(content), kernel_(kernel) {}

  auto read() -> tl::expected<void, base::Error> {
    auto text = content_.bytes;
    while (!text.empty()) {
      ++line_;
      const auto words = words_of_line(next_line(text));
      if (words.empty() || words.front().starts_with('#'))
        continue;
      if (const auto done = words.front() == "nexthop" ? hop_line(words) : route_line(words); !done)
        return done;
    }
    return flush();
  }

 private:
  using Read = tl::expected<void, base::Error>;

  auto refuse(std::string reason) const -> tl::unexpected<base::Error> {
    return tl::unexpected(base::Error{content_.file, line_, std::move(reason)});
  }

  auto route_line(std::span<const std::string_view> words) -> Read {
    if (const auto done = flush(); !done)
      return done;
    route_ = KernelRoute{.line = line_};
    has_route_ = true;
    std::size_t at = 0;
    if (is_one_of(types, words[0]))
      route_.type = words[at++];
    if (at == words.size() || !is_destination(words[at]))
      return refuse(fmt::format("{} is neither a prefix nor \"default\"",
                                base::in_quotes(words[std::min(at, words.size() - 1)])));
    route_.destination = words[at++];
    KernelHop hop;
    if (const auto done = attributes(words.subspan(at), hop); !done)
      return done;
    if (!hop.gateway.empty() || !hop.device.empty() || hop.is_encapsulated)
      route_.hops.push_back(std::move(hop));
    return {};
  }

  auto hop_line(std::span<const std::string_view> words) -> Read {
    if (!has_route_)
      return refuse("is a next hop without a route before it");
    return attributes(words.subspan(1), route_.hops.emplace_back());
  }

  auto attributes(std::span<const std::string_view> words, KernelHop& hop) -> Read {
    for (std::size_t i = 0; i < words.size(); ++i) {
      const auto key = words[i];
      if (is_one_of(flags, key)) {
        hop.is_dead = hop.is_dead || key == "dead";
        continue;
      }
      if (!is_one_of(keys, key))
        return refuse(fmt::format("{} is no word that `ip route` prints", base::in_quotes(key)));
      // How many words behind it are its own differs from kind to kind.
      hop.is_encapsulated = key == "encap";
      if (hop.is_encapsulated)
        return {};
      if (++i == words.size())
        return refuse(fmt::format("nothing stands behind {}", base::in_quotes(key)));
      const auto has_family = key == "via" && words[i].starts_with("inet");
      route_.is_ipv6 = route_.is_ipv6 || key == "pref" ||
                       (key == "via" && !has_family && words[i].find(':') != std::string_view::npos);
      if (i + 1 < words.size() && (words[i] == "lock" || has_family))
        ++i;  // "mtu lock 1400", "via inet6 fe80::1"
      if (const auto done = attribute(key, words[i], hop); !done)
        return done;
    }
    return {};
  }

  auto attribute(std::string_view key, std::string_view value, KernelHop& hop) -> Read {
    if (key == "via")
      hop.gateway = value;
    else if (key == "dev")
      hop.device = value;
    else if (key == "proto")
      route_.protocol = value;
    else if (key == "tos")
      route_.tos = value;
    else if (key == "table")
      route_.table = value;
    else if (key == "metric")
      return number(value, route_.metric);
    else if (key == "weight")
      return number(value, hop.weight);
    return {};
  }

  auto number(std::string_view word, std::uint64_t& result) const -> Read {
    const auto* const end = word.data() + word.size();
    const auto [rest, code] = std::from_chars(word.data(), end, result);
    if (code != std::errc{} || rest != end)
      return refuse(fmt::format("{} is not a number", base::in_quotes(word)));
    return {};
  }

  auto flush() -> Read {
    if (!has_route_)
      return {};
    has_route_ = false;
    return kernel_.add(route_);
  }

  const Content& content_;
  KernelRoutes& kernel_;
  unsigned line_ = 0;
  KernelRoute route_;
  bool has_route_ = false;
};

}  // namespace

// A text route file has two words a line, and a next hop may have any name: three words tell.
bool holds_ip_route(const Content& content) {
  const auto words = first_words(content.bytes);
  if (words.empty() ||
      holds_bird_routes(content))  // BIRD 1: "10.0.0.0/8 via 10.0.0.1 on eth0 [static1 10:00] * (200)"
    return false;
  if (is_one_of(types, words[0]))
    return words.size() > 1 && is_destination(words[1]);
  if (!is_destination(words[0]))
    return false;
  if (words.size() > 2)
    return is_one_of(keys, words[1]);
  // "default" alone, its next hops on the lines behind.
  auto rest = content.bytes;
  rest.remove_prefix(static_cast<std::size_t>(words.back().data() + words.back().size() - rest.data()));
  next_line(rest);
  const auto behind = words_of_line(next_line(rest));
  return words.size() == 1 && !behind.empty() && behind.front() == "nexthop";
}

auto read_ip_route(const Content& content, const Options& /*options*/) -> Reading {
  RouteCollector routes{content.file, Format::ip_route};
  KernelRoutes kernel{routes};
  if (const auto read = LineReader{content, kernel}.read(); !read)
    return tl::unexpected(read.error());
  kernel.finish();
  return std::move(routes.result);
}

}  // namespace sekisho::formats
