// SPDX-License-Identifier: BSD-3-Clause
#include "control/advertise/orders.hpp"

#include <fmt/format.h>

#include "control/advertise/frr_state.hpp"
#include "control/advertise/prefixes.hpp"
#include "control/route/internet.hpp"

namespace sekisho::advertise {
namespace {

auto running_config_now(const std::string& instance) -> frr::Result<RunningConfig> {
  const auto answer = frr::ask_now(instance, {show_config});
  if (answer) {
    return read_running_config(*answer);
  }
  using Kind = frr::Failure::Kind;
  const auto kind = answer.error().kind;
  return kind == Kind::not_running || kind == Kind::absent ? frr::Result<RunningConfig>{RunningConfig{}}
                                                           : tl::unexpected(answer.error());
}

}  // namespace

auto commands(std::uint32_t asn, const Prefixes& take_away, const Prefixes& add) -> std::vector<std::string> {
  std::vector<std::string> result{"configure terminal", fmt::format("router bgp {}", asn),
                                  "address-family ipv4 unicast"};
  for (const auto prefix : take_away) {
    result.push_back("no network " + base::to_string(prefix));
  }
  for (const auto prefix : add) {
    result.push_back("network " + base::to_string(prefix));
  }
  return result;
}

auto ours_always() -> Prefixes {
  return {route::default_route, route::halves[0], route::halves[1]};
}

auto originated_now(const std::string& instance, const Prefixes& prefixes) -> frr::Result<Prefixes> {
  return running_config_now(instance).map(
      [&](const RunningConfig& config) { return both(config.originated, all_of(ours_always(), prefixes)); });
}

auto withdraw_now(const std::string& instance, const Prefixes& prefixes) -> frr::Result<Prefixes> {
  const auto config = running_config_now(instance);
  if (!config) {
    return tl::unexpected(config.error());
  }
  const auto ours = both(config->originated, all_of(ours_always(), prefixes));
  if (ours.empty()) {
    return ours;
  }
  return frr::ask_now(instance, commands(config->asns.front(), ours, {})).map([&](const std::string&) {
    return ours;
  });
}

}  // namespace sekisho::advertise
