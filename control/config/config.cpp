// SPDX-License-Identifier: BSD-3-Clause
#include "control/config/config.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "common/base/detached_read.hpp"
#include "common/base/encoding.hpp"
#include "common/base/file.hpp"
#include "control/config/reader.hpp"

namespace sekisho::config {

namespace {
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

auto parse(std::string_view text, const std::filesystem::path& file) -> tl::expected<Config, base::Error> {
  toml::table root;
  try {
    root = toml::parse(text, std::string_view{file.native()});
  } catch (const toml::parse_error& error) {
    return tl::unexpected(base::Error{file, error.source().begin.line, std::string{error.description()}});
  }
  Problems problems;
  auto config = Reader{file, problems}.read(root);
  if (const auto& problem = problems.first())
    return tl::unexpected(base::Error{file, problem->line, problem->reason});
  return config;
}

auto read(const std::filesystem::path& file) -> tl::expected<Config, base::Error> {
  constexpr std::size_t limit = std::size_t{16} << 20;
  return base::read_file(file, limit)
      .and_then([&](std::string bytes) { return base::to_utf8(std::move(bytes), file); })
      .and_then([&](const std::string& text) { return parse(text, file); });
}

auto read_within(std::chrono::milliseconds patience, const std::filesystem::path& file)
    -> tl::expected<Config, base::Error> {
  return base::within(patience, file, [file] { return read(file); });
}

}  // namespace sekisho::config
