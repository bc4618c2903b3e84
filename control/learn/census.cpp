// SPDX-License-Identifier: BSD-3-Clause
#include "control/learn/census.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>

namespace sekisho::learn {
namespace {

auto number(const nlohmann::json& object, const char* key) -> std::size_t {
  const auto found = object.find(key);
  return found != object.end() && found->is_number_unsigned() ? found->get<std::size_t>() : 0;
}

}  // namespace

auto parse_sessions(const nlohmann::json& summary) -> std::optional<BgpSessions> {
  const auto peers = summary.is_object() ? summary.find("peers") : summary.end();
  if (!summary.is_object() || peers == summary.end() || !peers->is_object())
    return std::nullopt;
  BgpSessions result;
  std::optional<std::chrono::milliseconds> youngest;
  for (const auto& peer : *peers) {
    const auto state = peer.is_object() ? peer.find("state") : peer.end();
    if (!peer.is_object() || state == peer.end() || !state->is_string())
      return std::nullopt;
    if (state->get_ref<const std::string&>() == "Idle (Admin)")
      continue;
    ++result.peers;
    if (state->get_ref<const std::string&>() != "Established")
      continue;
    ++result.established;
    result.prefixes = std::max(result.prefixes, number(peer, "pfxRcd"));
    const std::chrono::milliseconds up{static_cast<std::int64_t>(number(peer, "peerUptimeMsec"))};
    youngest = youngest ? std::min(*youngest, up) : up;
  }
  result.youngest = youngest.value_or(std::chrono::milliseconds{});
  return result;
}

void Census::hear(const BgpSessions& sessions, std::size_t in_kernel, Time now) {
  const bool is_same = same_since_ && in_kernel == in_kernel_ && sessions.prefixes == sessions_.prefixes &&
                       sessions.established == sessions_.established && sessions.peers == sessions_.peers;
  if (!is_same)
    same_since_ = now;
  sessions_ = sessions;
  in_kernel_ = in_kernel;
}

bool Census::is_caught_up(Time now) const {
  return same_since_ && now >= *same_since_ + settled && sessions_.peers != 0 &&
         sessions_.established == sessions_.peers && sessions_.youngest >= grown_up &&
         in_kernel_ >= sessions_.prefixes;
}

auto Census::problem(std::uint32_t table, Time now) const -> std::optional<std::string> {
  if (!same_since_ || now < *same_since_ + too_long || in_kernel_ >= sessions_.prefixes)
    return std::nullopt;
  if (in_kernel_ == 0)
    return fmt::format(
        "BGP has {} routes of a peer, and the kernel's table {} has none: does a route-map of the peers "
        "say `set table {}`?",
        sessions_.prefixes, table, table);
  return fmt::format(
      "BGP has {} routes of a peer, and the kernel's table {} has {}: not all of them arrive there "
      "(`show ip route table {}` in vtysh says what zebra has)",
      sessions_.prefixes, table, in_kernel_, table);
}

}  // namespace sekisho::learn
