// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include "common/base/prefix.hpp"
#include "control/check/place.hpp"
#include "control/check/rules.hpp"

namespace sekisho::check {
namespace {

constexpr base::Prefix loopback{127U << 24, 8};

auto find_web_open(const Facts& facts) -> Offences {
  const auto& web = facts.policy->config.web;
  if (!web || loopback.covers(web->listen.address))
    return {};
  const auto where = web->listen.address == 0 ? std::string{"every address of this host"}
                                              : base::address_to_string(web->listen.address);
  return {{place(facts, web->listen.line),
           fmt::format("the page is served on {}: whoever reaches it sees zones, routes, next hops and "
                       "dropped packets",
                       where)}};
}

}  // namespace

const Rule web_open{
    "web-open", Severity::warning,
    "The page of [web] has neither passwords nor encryption; on a loopback address only this "
    "machine's users and their tunnels reach it.",
    "Listen on 127.0.0.1 and come by `ssh -L 8088:127.0.0.1:8088`, or on an address that only "
    "operators reach.",
    find_web_open};

}  // namespace sekisho::check
