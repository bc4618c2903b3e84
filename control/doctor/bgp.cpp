// SPDX-License-Identifier: BSD-3-Clause
// FRR's installation and files. Whether it runs and has sessions, sekisho-control says (check_state).
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <iterator>
#include <sstream>
#include <string>

#include "control/advertise/foreign.hpp"
#include "control/advertise/frr_state.hpp"
#include "control/doctor/checks.hpp"
#include "control/route/internet.hpp"

namespace sekisho::doctor {
namespace {

constexpr auto name = "frr";
constexpr auto apply = "sekisho bgp apply";

// Versions whose commands and answers are those that are used here: 8.4 is tried, and 9 and 10 say the same in their documentation.
bool is_known_version(const std::string& version) {
  constexpr unsigned oldest = 8;
  constexpr unsigned newest = 10;
  unsigned major = 0;
  std::from_chars(version.data(), version.data() + version.size(), major);
  return major >= oldest && major <= newest;
}

bool originates_internet(const std::string& text) {
  for (const auto prefix : advertise::read_running_config(text).originated) {
    if (prefix == route::default_route || prefix == route::halves[0] || prefix == route::halves[1]) {
      return true;
    }
  }
  return false;
}

Findings check_file(const Bgp& bgp) {
  if (!bgp.text && !bgp.unread.empty()) {
    return {warning(name, bgp.unread, "sudo sekisho doctor")};
  }
  if (!bgp.text) {
    return {bad(name, fmt::format("there is no {}", bgp.file), apply)};
  }
  Findings findings;
  if (originates_internet(*bgp.text)) {
    findings.push_back(
        bad(name,
            fmt::format("{} advertises the Internet as soon as FRR starts, whether anything is "
                        "forwarded or not",
                        bgp.file),
            "remove its `network` statements for 0.0.0.0/0 and its halves"));
  }
  if (advertise::is_foreign(*bgp.text)) {
    findings.push_back(
        warning(name, fmt::format("{} is somebody else's: it may lack what [bgp] asks for", bgp.file),
                "sekisho bgp render"));
  } else if (*bgp.text != bgp.rendered) {
    findings.push_back(warning(name, fmt::format("{} is not what the configuration means", bgp.file), apply));
  }
  return findings;
}

// zebra takes no default whose next hop it reaches by a default, whatever `ip nht resolve-via-default` says, and when there is another
// route to it does not look again by itself.
Findings check_ways(const Bgp& bgp) {
  Findings findings;
  for (const auto& peer : bgp.by_default_alone) {
    findings.push_back(warning(
        name,
        fmt::format(
            "the host reaches peer {} by its own default alone: a default of that peer, which a zone is to "
            "follow, is never installed",
            peer.address),
        fmt::format("ip route add {}/32 via {}; systemctl restart frr", peer.address,
                    peer.gateway.empty() ? "the gateway of the port's subnet" : peer.gateway)));
  }
  return findings;
}

}  // namespace

Findings check_frr(const System& system) {
  if (!system.bgp) {
    return {ok(name, system.frr.empty() ? "FRR is not installed, and nothing here needs it"
                                        : fmt::format("FRR {} is installed", system.frr))};
  }
  if (system.frr.empty()) {
    return {bad(name, "FRR is not installed, and [bgp] names peers", "apt install frr frr-pythontools")};
  }
  auto findings = check_file(*system.bgp);
  std::ranges::move(check_ways(*system.bgp), std::back_inserter(findings));
  if (!is_known_version(system.frr)) {
    findings.push_back(warning(name,
                               fmt::format("FRR {} is not one of 8 to 10, which are known here", system.frr),
                               "sekisho show bgp"));
  }
  if (!system.bgp->starts_bgpd) {
    findings.push_back(
        bad(name, "FRR does not start bgpd", "write bgpd=yes in /etc/frr/daemons; systemctl restart frr"));
  }
  return findings.empty() ? Findings{ok(name, fmt::format("FRR {} has the configuration", system.frr))}
                          : findings;
}

}  // namespace sekisho::doctor
