// SPDX-License-Identifier: BSD-3-Clause
#include "control/formats/route_collector.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "common/base/error.hpp"
#include "common/base/prefix.hpp"
#include "common/base/text.hpp"

namespace sekisho::formats {
namespace {

constexpr std::string_view letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
constexpr std::string_view digits = "0123456789";

bool is_one_of(std::string_view characters, char c) {
  return characters.find(c) != std::string_view::npos;
}

bool is_ipv6_address(const std::string& text) {
  in6_addr ignored{};
  return text.find('\0') == std::string::npos && ::inet_pton(AF_INET6, text.c_str(), &ignored) == 1;
}

bool is_ipv6_prefix(std::string_view text) {
  const auto slash = text.find('/');
  if (slash == std::string_view::npos || !is_ipv6_address(std::string{text.substr(0, slash)}))
    return false;
  unsigned length = 0;
  const auto* const end = text.data() + text.size();
  const auto [rest, code] = std::from_chars(text.data() + slash + 1, end, length);
  return code == std::errc{} && rest == end && length <= 128;
}

// "AzureFrontDoor.Backend", "Storage.WestEurope".
bool is_tag(std::string_view text) {
  constexpr std::size_t longest = 128;
  return !text.empty() && text.size() <= longest && is_one_of(letters, text.front()) &&
         std::ranges::all_of(text, [](char c) {
           return is_one_of(letters, c) || is_one_of(digits, c) || is_one_of("._-", c);
         });
}

}  // namespace

RouteCollector::RouteCollector(const std::filesystem::path& file, Format format)
    : result{.file = file, .format = format} {}

auto RouteCollector::next_hop(NextHop next_hop) -> std::uint32_t {
  auto key = fmt::format("{} {}", static_cast<unsigned>(next_hop.type), next_hop.name);
  for (const auto address : next_hop.addresses)
    key += fmt::format(" {}", address);
  const auto [entry, added] =
      next_hops_.try_emplace(std::move(key), static_cast<std::uint32_t>(result.next_hops.size()));
  if (added)
    result.next_hops.push_back(std::move(next_hop));
  return entry->second;
}

auto RouteCollector::label(const std::string& label) -> std::uint32_t {
  if (label.empty())
    return 0;
  const auto [entry, added] = labels_.try_emplace(label, static_cast<std::uint32_t>(result.labels.size()));
  if (added)
    result.labels.push_back(label);
  return entry->second;
}

auto RouteCollector::add_table(TableSummary table, const std::string& path)
    -> tl::expected<std::uint16_t, base::Error> {
  constexpr std::size_t most = 0xffff;
  if (result.tables.size() == most)
    return tl::unexpected(
        base::Error{result.file, 0, fmt::format("is one of more than {} route tables", most), path});
  // Identifiers that somebody has blanked tell no table from another.
  if (table.place.empty() || !places_.insert(table.place).second)
    table.place = path;
  result.tables.push_back(std::move(table));
  return static_cast<std::uint16_t>(result.tables.size() - 1);
}

void RouteCollector::leave_out_ipv6() {
  ++result.ipv6;
  if (open_)
    ++result.tables[*open_].ipv6;
}

void RouteCollector::add(Written route) {
  const FileRoute written{.prefix = route.prefix,
                          .origin = route.origin,
                          .table = open_.value_or(0),
                          .next_hop = next_hop(std::move(route.next_hop)),
                          .label = label(route.label),
                          .line = route.line};
  (route.in_force ? result.routes : result.invalid).push_back(written);
  if (open_ && route.in_force)
    ++result.tables[*open_].routes;
}

void RouteCollector::find(base::Severity severity, std::string path, std::string reason, unsigned line) {
  if (open_)
    result.tables[*open_].findings.push_back(result.findings.size());
  result.findings.push_back({severity, {result.file, line, std::move(reason), std::move(path)}});
}

void RouteCollector::find_own(std::size_t count) {
  if (count != 0)
    find(base::Severity::note, {},
         fmt::format("{} route{} of the host's own addresses {} left out", count, count == 1 ? "" : "s",
                     count == 1 ? "is" : "are"));
}

void RouteCollector::find_unknown_property(std::string_view what, const std::string& name, std::string path) {
  if (unknown_properties_.insert(fmt::format("{} {}", what, name)).second)
    find(base::Severity::warning, std::move(path),
         fmt::format("{} has a property that is not known; it is ignored, here "
                     "and in others",
                     what));
}

auto parse_destination(std::string_view text) -> tl::expected<Destination, std::string> {
  if (text.find(':') != std::string_view::npos) {
    if (!is_ipv6_prefix(text))
      return tl::unexpected(fmt::format("{} is not an IPv6 prefix", base::in_quotes(text)));
    return Destination{.kind = DestinationKind::ipv6, .prefix = {}};
  }
  if (is_tag(text))
    return Destination{.kind = DestinationKind::tag, .prefix = {}};
  if (text.empty() || (!is_one_of(digits, text.front()) && text.find('/') == std::string_view::npos))
    return tl::unexpected(
        fmt::format("{} is neither a prefix nor a service tag's name", base::in_quotes(text)));
  const auto prefix = base::parse_prefix(text);
  if (!prefix)
    return tl::unexpected(prefix.error());
  return Destination{.kind = DestinationKind::ipv4, .prefix = *prefix};
}

auto parse_next_hop_address(const std::string& text) -> tl::expected<std::uint32_t, std::string> {
  if (is_ipv6_address(text))
    return tl::unexpected(fmt::format("{} is an IPv6 address, which no IPv4 route has for a next hop", text));
  return base::parse_address(text);
}

auto parse_next_hop_addresses(const Json& list, const std::string& path, const std::filesystem::path& file)
    -> tl::expected<std::vector<std::uint32_t>, base::Error> {
  const auto refuse = [&](std::size_t index, std::string reason) {
    return tl::unexpected(base::Error{file, 0, std::move(reason), element_path(path, index)});
  };
  std::vector<std::uint32_t> result;
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (!list[i].is_string())
      return refuse(i, fmt::format("is {} where an address is expected", type_name(list[i])));
    const auto address = parse_next_hop_address(list[i].get_ref<const std::string&>());
    if (!address)
      return refuse(i, address.error());
    if (std::ranges::find(result, *address) != result.end())
      return refuse(i, fmt::format("duplicate next hop {}", base::address_to_string(*address)));
    if (result.size() == most_ecmp)
      return refuse(i, fmt::format("more than {} next hops", most_ecmp));
    result.push_back(*address);
  }
  return result;
}

}  // namespace sekisho::formats
