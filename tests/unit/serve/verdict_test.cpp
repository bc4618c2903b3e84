// SPDX-License-Identifier: BSD-3-Clause
// From what is wrong to the one word that everything outside is told.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "control/serve/verdict.hpp"
#include "tests/unit/sample_policy.hpp"

namespace sekisho::serve {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

Problem problem(std::string_view kind, const std::string& subject = "", bool bad = true) {
  return {.kind = kind,
          .bad = bad,
          .subject = subject,
          .sentence = "a long sentence",
          .remedy = "a remedy",
          .reason = std::string(kind) + (subject.empty() ? "" : " " + subject)};
}
Problem warning(std::string_view kind, const std::string& subject = "") {
  return problem(kind, subject, false);
}

config::Config parse(const std::string& zones) {
  const auto text = test::ports_and_firewall + std::string{test::gateway} +
                    "[port.vnet]\ndevice = \"af_xdp:vnet0\"\n" + zones;
  return config::parse(text, "sekisho.toml").value();
}

// Two zones that go to the Internet by the firewall, and one that does not.
const config::Config& internet() {
  static const auto config = parse(std::string{test::internet_and_back} + R"([zone.vnet]
port = ["vnet"]
sources = ["10.1.0.0/16"]
internet = true
)");
  return config;
}

std::string said(const config::Config& config, const std::vector<Problem>& problems) {
  return to_string(judge(config, problems));
}

TEST(Verdict, NothingIsWrong) {
  EXPECT_EQ(said(internet(), {}), "forwarding");
}

TEST(Verdict, NobodyForwards) {
  for (const auto kind : {"dataplane_down", "dataplane_hung", "no_policy"}) {
    EXPECT_EQ(said(internet(), {problem(kind)}), std::string("closed: ") + kind);
    EXPECT_THAT(why_dead({problem(kind)}), ElementsAre(kind));
  }
  EXPECT_THAT(why_dead({problem("guard_missing")}), IsEmpty());
}

// Whatever kinds there are and will be: what is bad is never "forwarding".
TEST(Verdict, WhatIsBadIsNeverGood) {
  for (const auto kind : problem_kinds) {
    EXPECT_NE(judge(internet(), {problem(kind, "lan")}).word, Word::forwarding) << kind;
  }
}

TEST(Verdict, WhatForwardsAllTheSame) {
  for (const auto kind : {"not_in_command", "policy_differs", "guard_missing", "reload_refused"}) {
    EXPECT_EQ(said(internet(), {problem(kind)}), std::string("degraded: ") + kind);
  }
  for (const auto kind : {"files_changed", "port_differs"}) {
    EXPECT_EQ(said(internet(), {warning(kind)}), "forwarding");
  }
  EXPECT_EQ(said(internet(), {warning("next_hop_degraded", "firewall")}),
            "degraded: next_hop_degraded firewall");
}

TEST(Verdict, TheFirewallIsDead) {
  EXPECT_EQ(said(internet(), {problem("next_hop_down", "firewall")}), "closed: next_hop_down firewall");
  EXPECT_EQ(said(internet(), {problem("next_hop_down", "gateway")}), "degraded: next_hop_down gateway");
  EXPECT_EQ(said(internet(), {problem("next_hop_down", "Internet")}), "degraded: next_hop_down Internet");
}

// Why it is closed stands first, whatever order the problems have, and each reason once.
TEST(Verdict, ReasonsInOrder) {
  EXPECT_EQ(said(internet(), {problem("guard_missing"), problem("next_hop_down", "firewall"),
                              problem("reload_refused"), warning("files_changed")}),
            "closed: next_hop_down firewall; guard_missing; reload_refused");
}

TEST(Verdict, EachCombinationOfPorts) {
  for (const auto kind : {"port_missing", "port_down", "link_down"}) {
    for (unsigned down = 0; down != 8; ++down) {
      std::vector<Problem> problems;
      for (unsigned each = 0; each != 3; ++each) {
        if ((down >> each & 1) != 0) {
          problems.push_back(problem(kind, std::vector<std::string>{"lan", "vnet", "egress"}[each]));
        }
      }
      const auto expected = (down & 3) == 3 ? Word::closed : down == 0 ? Word::forwarding : Word::degraded;
      EXPECT_EQ(judge(internet(), problems).word, expected) << kind << down;
    }
  }
}

TEST(Verdict, ZonesWithoutInternet) {
  const auto config = parse(R"([zone.onprem]
port = ["lan", "vnet"]
sources = ["172.16.0.0/12"]
routes = [{ prefix = "0.0.0.0/0", next_hop = "firewall" }, { prefix = "10.9.0.0/16", next_hop = "gateway" },
          { prefix = "10.8.0.0/16", next_hop = "None" }]
)");
  const auto firewall = problem("next_hop_down", "firewall");
  const auto gateway = problem("next_hop_down", "gateway");
  EXPECT_EQ(judge(config, {firewall}).word, Word::degraded);
  EXPECT_EQ(judge(config, {gateway}).word, Word::degraded);
  EXPECT_EQ(said(config, {gateway, firewall}), "closed: next_hop_down firewall; next_hop_down gateway");
  EXPECT_EQ(judge(config, {problem("link_down", "lan")}).word, Word::degraded);
  EXPECT_EQ(judge(config, {problem("link_down", "lan"), problem("port_down", "vnet")}).word, Word::closed);
}

// Where nothing says what a zone's routes lead to, only its ports close it.
TEST(Verdict, ZonesOfFilesAndNoZones) {
  const auto nothing = parse("[zone.onprem]\nport = [\"lan\"]\nsources = [\"172.16.0.0/12\"]\n");
  EXPECT_EQ(judge(nothing, {problem("next_hop_down", "firewall")}).word, Word::degraded);
  EXPECT_EQ(judge(nothing, {problem("port_down", "lan")}).word, Word::closed);
  EXPECT_EQ(judge(parse(""), {}).word, Word::forwarding);
  EXPECT_EQ(judge(parse(""), {problem("port_down", "lan")}).word, Word::degraded);
}

TEST(Verdict, WhatIsAskedOfItsParts) {
  const auto& zones = internet().zones;  // back, onprem, vnet
  const auto firewall = problem("next_hop_down", "firewall");
  EXPECT_THAT(why_down("firewall", {firewall}), ElementsAre("next_hop_down firewall"));
  EXPECT_THAT(why_down("gateway", {firewall}), IsEmpty());
  EXPECT_THAT(why_closed(zones[0], internet(), {firewall}), IsEmpty());
  EXPECT_THAT(why_closed(zones[1], internet(), {firewall}), ElementsAre("next_hop_down firewall"));
  EXPECT_THAT(why_closed(zones[1], internet(), {problem("link_down", "vnet")}), IsEmpty());
}

TEST(Verdict, TheNumbersAreThoseOfNagios) {
  EXPECT_EQ(static_cast<int>(Word::forwarding), 0);
  EXPECT_EQ(static_cast<int>(Word::degraded), 1);
  EXPECT_EQ(static_cast<int>(Word::closed), 2);
}

}  // namespace
}  // namespace sekisho::serve
