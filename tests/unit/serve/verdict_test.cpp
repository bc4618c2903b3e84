// SPDX-License-Identifier: BSD-3-Clause
// From what is wrong to the one word that everything outside is told.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
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

using PolicyPtr = std::shared_ptr<const policy::Policy>;

PolicyPtr parse(const std::string& zones) {
  const auto text = test::ports_and_firewall + std::string{test::gateway} +
                    "[port.vnet]\ndevice = \"af_xdp:vnet0\"\n" + zones;
  return policy::build(config::parse(text, "sekisho.toml").value()).value();
}

// Two zones that go to the Internet by the firewall, and one that does not.
PolicyPtr internet_by(std::string_view install) {
  return parse("[internet]\n" + std::string{install} +
               std::string{test::internet_and_back}.substr(sizeof("[internet]")) +
               R"([zone.vnet]
port = ["vnet"]
sources = ["10.1.0.0/16"]
internet = true
)");
}
const PolicyPtr& internet() {
  static const auto policy = internet_by("");
  return policy;
}

std::string said(const PolicyPtr& policy, const std::vector<Problem>& problems) {
  return to_string(judge(*policy, problems));
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
    EXPECT_NE(judge(*internet(), {problem(kind, "lan")}).word, Word::forwarding) << kind;
  }
}

TEST(Verdict, WhatForwardsAllTheSame) {
  for (const auto kind : {"not_in_command", "policy_differs", "guard_missing", "reload_refused"}) {
    EXPECT_EQ(said(internet(), {problem(kind)}), std::string("degraded: ") + kind);
  }
  for (const auto kind : {"files_changed", "port_differs", "on_trial", "not_configured"}) {
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
      EXPECT_EQ(judge(*internet(), problems).word, expected) << kind << down;
    }
  }
}

TEST(Verdict, ZonesWithoutInternet) {
  const auto policy = parse(R"([zone.onprem]
port = ["lan", "vnet"]
sources = ["172.16.0.0/12"]
routes = [{ prefix = "0.0.0.0/0", next_hop = "firewall" }, { prefix = "10.9.0.0/16", next_hop = "gateway" },
          { prefix = "10.8.0.0/16", next_hop = "None" }]
)");
  const auto firewall = problem("next_hop_down", "firewall");
  const auto gateway = problem("next_hop_down", "gateway");
  EXPECT_EQ(judge(*policy, {firewall}).word, Word::degraded);
  EXPECT_EQ(judge(*policy, {gateway}).word, Word::degraded);
  EXPECT_EQ(said(policy, {gateway, firewall}), "closed: next_hop_down firewall; next_hop_down gateway");
  EXPECT_EQ(judge(*policy, {problem("link_down", "lan")}).word, Word::degraded);
  EXPECT_EQ(judge(*policy, {problem("link_down", "lan"), problem("port_down", "vnet")}).word, Word::closed);
}

// Where nothing says what a zone's routes lead to, only its ports close it.
TEST(Verdict, ZonesOfFilesAndNoZones) {
  const auto nothing = parse("[zone.onprem]\nport = [\"lan\"]\nsources = [\"172.16.0.0/12\"]\n");
  EXPECT_EQ(judge(*nothing, {problem("next_hop_down", "firewall")}).word, Word::degraded);
  EXPECT_EQ(judge(*nothing, {problem("port_down", "lan")}).word, Word::closed);
  EXPECT_EQ(judge(*parse(""), {}).word, Word::forwarding);
  EXPECT_EQ(judge(*parse(""), {problem("port_down", "lan")}).word, Word::degraded);
}

TEST(Verdict, WhatIsAskedOfItsParts) {
  const auto& zones = internet()->config.zones;  // back, onprem, vnet
  const auto firewall = problem("next_hop_down", "firewall");
  EXPECT_THAT(why_down("firewall", {firewall}), ElementsAre("next_hop_down firewall"));
  EXPECT_THAT(why_down("gateway", {firewall}), IsEmpty());
  EXPECT_THAT(why_closed(zones[0], *internet(), {firewall}), IsEmpty());
  EXPECT_THAT(why_closed(zones[1], *internet(), {firewall}), ElementsAre("next_hop_down firewall"));
  EXPECT_THAT(why_closed(zones[1], *internet(), {problem("link_down", "vnet")}), IsEmpty());
}

// By the table that is in force, whatever the configuration says.
TEST(Verdict, AnOverrideLeadsTheInternetElsewhere) {
  const auto overridden = [](const PolicyPtr& policy,
                             std::initializer_list<std::pair<base::Prefix, std::string>> changes) {
    std::vector<policy::Override> overrides;
    for (const auto& [prefix, next_hop] : changes) {
      overrides.push_back({"onprem", prefix, next_hop});
      overrides.push_back({"vnet", prefix, next_hop});
    }
    return policy::with_overrides(*policy, std::move(overrides)).value();
  };
  constexpr base::Prefix all{0, 0};
  constexpr base::Prefix low{0, 1};
  constexpr base::Prefix high{0x80000000, 1};
  const auto firewall = problem("next_hop_down", "firewall");
  const auto gateway = problem("next_hop_down", "gateway");
  const auto& halves = internet();
  const auto half = overridden(halves, {{low, "gateway"}});
  EXPECT_EQ(judge(*half, {firewall}).word, Word::degraded);
  EXPECT_EQ(judge(*half, {gateway}).word, Word::degraded);
  EXPECT_EQ(judge(*half, {firewall, gateway}).word, Word::closed);
  const auto both = overridden(halves, {{low, "gateway"}, {high, "gateway"}});
  EXPECT_EQ(said(both, {firewall}), "degraded: next_hop_down firewall");
  EXPECT_EQ(said(both, {gateway}), "closed: next_hop_down gateway");
  const auto default_route = internet_by("install = \"default\"\n");
  const auto elsewhere = overridden(default_route, {{all, "gateway"}});
  EXPECT_EQ(said(elsewhere, {firewall}), "degraded: next_hop_down firewall");
  EXPECT_EQ(said(elsewhere, {gateway}), "closed: next_hop_down gateway");
  EXPECT_EQ(said(overridden(default_route, {{all, "None"}}), {}),
            "closed: zone onprem: the default goes to None; zone vnet: the default goes to None");
  EXPECT_EQ(said(overridden(halves, {{all, "gateway"}}), {gateway}), "degraded: next_hop_down gateway")
      << "the halves go before it";
}

TEST(Verdict, TheNumbersAreThoseOfNagios) {
  EXPECT_EQ(static_cast<int>(Word::forwarding), 0);
  EXPECT_EQ(static_cast<int>(Word::degraded), 1);
  EXPECT_EQ(static_cast<int>(Word::closed), 2);
}

}  // namespace
}  // namespace sekisho::serve
