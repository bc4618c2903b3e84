// SPDX-License-Identifier: BSD-3-Clause
#include "control/config/config.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>

#include "common/base/detached_read.hpp"
#include "common/base/encoding.hpp"
#include "common/base/file.hpp"
#include "control/config/document.hpp"
#include "control/config/include.hpp"
#include "control/config/reader.hpp"

namespace sekisho::config {

namespace {
constexpr std::size_t most_included = 256;
constexpr std::string_view netdev_prefix = "af_xdp:";
constexpr std::string_view mac_prefix = "mac:";
constexpr std::string_view bus_prefix = "bus:";
}  // namespace

bool Port::is_af_xdp() const {
  return device.starts_with(netdev_prefix);
}

bool Port::has_netdev() const {
  return is_af_xdp() || !companion.empty();
}

std::optional<std::string> Port::netdev() const {
  if (is_af_xdp())
    return device.substr(netdev_prefix.size());
  return companion.empty() ? std::nullopt : std::optional{companion};
}

std::optional<NetdevId> Port::netdev_id() const {
  if (!has_netdev())
    return std::nullopt;
  if (!is_af_xdp())
    return NetdevId{NetdevId::By::name, companion};
  const auto text = std::string_view{device}.substr(netdev_prefix.size());
  if (text.starts_with(mac_prefix))
    return NetdevId{NetdevId::By::mac, text.substr(mac_prefix.size())};
  if (text.starts_with(bus_prefix))
    return NetdevId{NetdevId::By::bus, text.substr(bus_prefix.size())};
  return NetdevId{NetdevId::By::name, text};
}

bool Config::learns() const {
  return bgp && std::ranges::any_of(
                    zones, [](const Zone& zone) { return zone.learned_sources || zone.learned_routes; });
}

std::vector<std::string> Config::guarded_netdevs() const {
  std::vector<std::string> result{std::string{exit_netdev}};
  for (const auto& port : ports)
    if (const auto id = port.netdev_id(); id && id->by == NetdevId::By::name)
      result.emplace_back(id->text);
  std::ranges::sort(result);
  return result;
}

base::Error Config::at(unsigned line, std::string reason) const {
  const auto in = std::ranges::find_if(included.rbegin(), included.rend(),
                                       [&](const IncludedFile& each) { return each.before < line; });
  return in == included.rend() ? base::Error{file, line, std::move(reason)}
                               : base::Error{in->read.file, line - in->before, std::move(reason)};
}

std::string Config::line_seen_from(unsigned from, unsigned line) const {
  const auto place = at(line);
  return at(from).file == place.file ? fmt::format("line {}", place.line)
                                     : fmt::format("{}:{}", place.file.native(), place.line);
}

namespace {

auto interpret(const Document& document) -> tl::expected<Config, base::Error> {
  Problems problems;
  auto config = Reader{document, problems}.read(document.root());
  if (const auto& problem = problems.first())
    return tl::unexpected(document.at(problem->line, problem->reason));
  return config;
}

auto text_of(const std::filesystem::path& file) -> tl::expected<std::string, base::Error> {
  constexpr std::size_t limit = std::size_t{16} << 20;
  return base::read_file(file, limit).and_then([&](std::string bytes) {
    return base::to_utf8(std::move(bytes), file);
  });
}

}  // namespace

auto parse(std::string_view text, const std::filesystem::path& file) -> tl::expected<Config, base::Error> {
  Document document{file};
  return document.add(text, {.file = file, .size = {}}).and_then([&] { return interpret(document); });
}

auto read(const std::filesystem::path& file, const std::filesystem::path& root)
    -> tl::expected<Config, base::Error> {
  Document document{file};
  const auto add = [&](const std::filesystem::path& each) {
    auto stamp = base::stamp(each);
    return text_of(each).and_then(
        [&](const std::string& text) { return document.add(text, std::move(stamp)); });
  };
  if (auto added = add(file); !added)
    return tl::unexpected(std::move(added.error()));
  for (const auto& [pattern, line] : document.include()) {
    const auto found = find_included(file, pattern, root);
    if (!found)
      return tl::unexpected(document.at(line, found.error()));
    for (const auto& each : *found) {
      if (document.has(each))
        continue;
      if (document.files().included.size() == most_included)
        return tl::unexpected(document.at(line, fmt::format("more than {} included files", most_included)));
      if (auto added = add(each); !added)
        return tl::unexpected(std::move(added.error()));
    }
  }
  return interpret(document);
}

auto read_within(std::chrono::milliseconds patience, const std::filesystem::path& file,
                 const std::filesystem::path& root) -> tl::expected<Config, base::Error> {
  return base::within(patience, file, [file, root] { return read(file, root); });
}

}  // namespace sekisho::config
