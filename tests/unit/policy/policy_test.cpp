// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/error.hpp"
#include "common/base/prefix.hpp"
#include "control/check/warnings.hpp"
#include "control/policy/policy.hpp"
#include "tests/unit/temporary_folder.hpp"

namespace sekisho::policy {
namespace {

constexpr std::string_view prelude = R"([port.lan]
device = "af_xdp:lan0"
[next_hop.firewall]
members = ["10.0.2.10"]
[next_hop.pair]
members = ["10.0.2.11", "10.0.2.12"]
[next_hop.gateway]
members = ["10.0.1.1"]
[internet]
via = "firewall"
[zone.onprem]
port = ["lan"]
sources = ["172.16.0.0/12"]
)";  // the next line is 14

class PolicyFiles : public testing::Test {
 protected:
  auto read_with(std::string_view rest) -> tl::expected<std::shared_ptr<const Policy>, base::Error> {
    return read(folder_.write("sekisho.toml", std::string{prelude} + std::string{rest}));
  }
  auto shorten(std::string text) const -> std::string { return folder_.shorten(std::move(text)); }
  auto warnings(const Policy& policy) const -> std::vector<std::string> {
    std::vector<std::string> result;
    for (const auto& warning : check::warnings(policy))
      result.push_back(shorten(warning));
    return result;
  }
  void expect_refused(std::string_view rest, const std::string& error) {
    const auto policy = read_with(rest);
    ASSERT_FALSE(policy) << error;
    EXPECT_EQ(shorten(policy.error().to_string()).substr(0, error.size()), error);
  }

  test::TemporaryFolder folder_;
};

// "10.0.0.0/16 System firewall [internet]:9" for each of a table's winners but those that every table has.
auto winners(const Policy& policy, std::string_view zone) -> std::vector<std::string> {
  std::vector<std::string> result;
  const auto* found = policy.zone(zone);
  if (found == nullptr)
    return {"no such zone"};
  for (const auto& route : found->table.winners()) {
    if (policy.names[route.source] == "Azure's host addresses")
      continue;
    result.push_back(base::to_string(route.prefix) + " " + std::string{route::to_string(route.origin)} + " " +
                     policy.names[route.next_hop] + " " +
                     std::filesystem::path{policy.names[route.source]}.filename().string() + ":" +
                     std::to_string(route.line));
  }
  return result;
}

using Lines = std::vector<std::string>;

TEST_F(PolicyFiles, HalvesBringAzuresNoneRoutesAlong) {
  const auto policy = read_with("internet = true\n");
  ASSERT_TRUE(policy) << policy.error().to_string();
  EXPECT_EQ(winners(**policy, "onprem"), (Lines{
                                             "0.0.0.0/1 System firewall [internet]:9",
                                             "10.0.0.0/8 System None private space:0",
                                             "100.64.0.0/10 System None private space:0",
                                             "128.0.0.0/1 System firewall [internet]:9",
                                             "172.16.0.0/12 System None private space:0",
                                             "192.168.0.0/16 System None private space:0",
                                         }));
  EXPECT_EQ(check::warnings(**policy), Lines{});
  EXPECT_EQ((*policy)->zone("elsewhere"), nullptr);
}

TEST_F(PolicyFiles, TheDefaultRouteInsteadOfItsHalves) {
  const auto policy = read_with(
      "internet = true\n[port.b]\ndevice = \"net_null0\"\n[zone.b]\nport = [\"b\"]\n"
      "sources = [\"0.0.0.0/0\"]\n");
  ASSERT_TRUE(policy) << policy.error().to_string();
  auto config = (*policy)->config;
  config.internet->install = config::Install::default_route;
  const auto again = build(std::move(config));
  ASSERT_TRUE(again);
  const auto table = winners(**again, "onprem");
  EXPECT_EQ(table.front(), "0.0.0.0/0 System firewall [internet]:9");
  EXPECT_EQ(table.size(), 5U);
  EXPECT_TRUE(winners(**again, "b").empty()) << "a zone without `internet` gets none of it";
}

TEST_F(PolicyFiles, AUserRouteReplacesASystemRouteOfThePrefixWithoutAWarning) {
  const auto policy = read_with(
      "internet = true\nroutes = [{ prefix = \"10.0.0.0/8\", next_hop = \"gateway\" }, "
      "{ prefix = \"0.0.0.0/1\", next_hop = \"none\" }]\n");
  ASSERT_TRUE(policy) << policy.error().to_string();
  const auto table = winners(**policy, "onprem");
  EXPECT_EQ(table[0], "0.0.0.0/1 User None zone.onprem.routes:15");
  EXPECT_EQ(table[1], "10.0.0.0/8 User gateway zone.onprem.routes:15");
  EXPECT_EQ(table.size(), 6U);
  EXPECT_EQ((*policy)->zone("onprem")->table.candidates().size(), 10U)
      << "the losers are kept for explanations";
  EXPECT_EQ(check::warnings(**policy), Lines{});
}

TEST_F(PolicyFiles, KmsOfEachCloud) {
  const auto of = [&](const std::string& cloud) {
    const auto policy =
        read_with("routes = [{ preset = \"kms\", cloud = \"" + cloud + "\", next_hop = \"gateway\" }]\n");
    EXPECT_TRUE(policy) << policy.error().to_string();
    return policy ? winners(**policy, "onprem") : Lines{};
  };
  EXPECT_EQ(of("public"), (Lines{
                              "20.118.99.224/32 User gateway preset kms public:14",
                              "23.102.135.246/32 User gateway preset kms public:14",
                              "40.83.235.53/32 User gateway preset kms public:14",
                          }));
  EXPECT_EQ(of("usgov"), (Lines{
                             "23.97.0.13/32 User gateway preset kms usgov:14",
                             "52.126.105.2/32 User gateway preset kms usgov:14",
                         }));
  EXPECT_EQ(of("china"), (Lines{
                             "42.159.7.249/32 User gateway preset kms china:14",
                             "159.27.28.100/32 User gateway preset kms china:14",
                             "163.228.64.161/32 User gateway preset kms china:14",
                         }));
}

TEST_F(PolicyFiles, NextHopsOfARouteFile) {
  folder_.write(
      "routes.txt",
      "1.0.0.0/8 pair\n2.0.0.0/8 10.0.1.1\n3.0.0.0/8 NONE\n# x\n4.0.0.0/8\n5.0.0.0/8 -\n6.0.0.0/8 pair\n");
  const auto policy = read_with("routes = [{ file = \"routes.txt\", next_hop = \"firewall\" }]\n");
  ASSERT_TRUE(policy) << policy.error().to_string();
  EXPECT_EQ(winners(**policy, "onprem"), (Lines{
                                             "1.0.0.0/8 User pair routes.txt:1",
                                             "2.0.0.0/8 User gateway routes.txt:2",
                                             "3.0.0.0/8 User None routes.txt:3",
                                             "4.0.0.0/8 User firewall routes.txt:5",
                                             "5.0.0.0/8 User firewall routes.txt:6",
                                             "6.0.0.0/8 User pair routes.txt:7",
                                         }));
  const auto first = (*policy)->zone("onprem")->table.winners()[0];
  EXPECT_EQ((*policy)->names[first.source], (folder_.path() / "routes.txt").string());
  EXPECT_EQ((*policy)->file_sources.at(first.source).file, folder_.path() / "routes.txt");
  ASSERT_EQ((*policy)->files.size(), 1U);
  EXPECT_EQ((*policy)->files[0].format, formats::Format::text);
  EXPECT_EQ((*policy)->files[0].routes, 6U);
}

TEST_F(PolicyFiles, RefusesARouteFileWithItsLine) {
  struct Case {
    std::string content;
    std::string error;
  };
  const std::vector<Case> cases{
      {"1.0.0.0/8 pair\n2.0.0.0/8\n",
       "routes.txt:2: names no next hop, and the configuration gives none for this file"},
      {"1.0.0.0/8 pair\n\n2.0.0.0/8 -\n", "routes.txt:3: names no next hop"},
      {"1.0.0.0/8 piar\n",
       "routes.txt:1: there is no next hop \"piar\" in the configuration; did you mean \"pair\"?"},
      {"1.0.0.0/8 PAIR\n", "routes.txt:1: there is no next hop \"PAIR\""},
      {"1.0.0.0/8 pair\n2.0.0.0/8 internet\n",
       "routes.txt:2: next hop \"Internet\" needs to know where to leave: write exit = {"},
      {"1.0.0.0/8 10.0.2.11\n", "routes.txt:1: no next hop has 10.0.2.11 as its only member"},
      {"1.0.0.0/8 9.9.9.9\n", "routes.txt:1: no next hop has 9.9.9.9 as its only member"},
      {"1.0.0.0/8 pair\n1.0.0.1/8 pair\n",
       "routes.txt:2: host bits are set (1.0.0.1/8; did you mean 1.0.0.0/8?)"},
  };
  for (const auto& test : cases) {
    folder_.write("routes.txt", test.content);
    expect_refused("routes = [\"routes.txt\"]\n", test.error);
  }
  expect_refused("routes = [\"missing.txt\"]\n", "missing.txt: cannot be opened: No such file or directory");
  expect_refused("routes = [\"sub/../.\"]\n", ": is a directory");
}

TEST(Policy, CollectsWhatLeavesByTheExit) {
  const test::TemporaryFolder folder;
  static_cast<void>(
      folder.write("routes.txt", "20.0.0.0/8 internet\n20.118.0.0/16 INTERNET\n30.0.0.0/8 firewall\n"));
  const auto read_with = [&](std::string_view prefix) {
    return read(folder.write("sekisho.toml", fmt::format(R"([port.lan]
device = "af_xdp:lan0"
[next_hop.firewall]
members = ["10.0.2.10"]
[internet]
via = "firewall"
exit = {{ port = "lan" }}
[zone.onprem]
port = ["lan"]
sources = ["172.16.0.0/12"]
routes = ["routes.txt", {{ preset = "kms", cloud = "public", next_hop = "Internet" }}]
[zone.vnet]
port = ["lan"]
sources = ["10.0.0.0/16"]
routes = [{{ prefix = "{}", next_hop = "internet" }}]
)",
                                                         prefix)));
  };
  const auto policy = read_with("40.83.0.0/16");
  ASSERT_TRUE(policy) << policy.error().to_string();
  std::vector<std::string> exceptions;
  std::ranges::transform((*policy)->exceptions, std::back_inserter(exceptions),
                         [](const auto prefix) { return base::to_string(prefix); });
  EXPECT_EQ(exceptions, (std::vector<std::string>{"20.0.0.0/8", "23.102.135.246/32", "40.83.0.0/16"}));
  const auto refused = read_with("128.0.0.0/1");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().line, 15U);
  EXPECT_EQ(refused.error().reason,
            "128.0.0.0/1 is too much for an exception: next hop \"Internet\" takes it past the "
            "firewall, and nothing shorter than /8");
}

TEST_F(PolicyFiles, AnAddressThatTwoNextHopsHaveIsRefused) {
  folder_.write("routes.txt", "1.0.0.0/8 10.0.1.1\n");
  expect_refused("routes = [\"routes.txt\"]\n[next_hop.again]\nmembers = [\"10.0.1.1\"]\n",
                 "routes.txt:1: next hop 10.0.1.1 may be \"again\" or \"gateway\": write the name");
}

TEST_F(PolicyFiles, TheLastOfTheSamePrefixWinsAndSaysSo) {
  folder_.write("routes.txt", "1.0.0.0/8 pair\n2.0.0.0/8 pair\n1.0.0.0/8 gateway\n");
  const auto policy =
      read_with("routes = [\"routes.txt\",\n { prefix = \"2.0.0.0/8\", next_hop = \"None\" }]\n");
  ASSERT_TRUE(policy) << policy.error().to_string();
  EXPECT_EQ(winners(**policy, "onprem"),
            (Lines{"1.0.0.0/8 User gateway routes.txt:3", "2.0.0.0/8 User None zone.onprem.routes:15"}));
  EXPECT_EQ(
      warnings(**policy),
      (Lines{"routes.txt:3: duplicate 1.0.0.0/8 in zone onprem, first at routes.txt:1; the last one wins",
             "sekisho.toml:15: duplicate 2.0.0.0/8 in zone onprem, first at "
             "routes.txt:2; "
             "the last one wins"}));
}

TEST_F(PolicyFiles, WarnsOfRoutesThatCanNeverMatch) {
  folder_.write("routes.txt", "1.0.0.0/8 pair\n127.0.0.0/8 pair\n240.0.0.0/8 pair\n224.0.0.0/4 None\n");
  const auto policy = read_with(
      "routes = [\"routes.txt\",\n { prefix = \"169.254.0.0/16\", next_hop = \"pair\" },\n"
      " { prefix = \"0.0.0.0/1\", next_hop = \"pair\" }]\n");
  ASSERT_TRUE(policy) << policy.error().to_string();
  EXPECT_EQ(
      warnings(**policy),
      (Lines{
          "routes.txt:2: 127.0.0.0/8 in zone onprem can never match: what is for 127.0.0.0/8 is dropped",
          "sekisho.toml:15: 169.254.0.0/16 in zone onprem can never match: what is for 169.254.0.0/16 is "
          "dropped",
          "routes.txt:3: 240.0.0.0/8 in zone onprem can never match: what is for 240.0.0.0/4 is dropped"}));
}

TEST_F(PolicyFiles, RefusesAFileThatRoutesNothingUnlessItIsMeant) {
  folder_.write("routes.txt", "");
  const auto refused = read_with("routes = [\"routes.txt\"]\n");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().file, folder_.path() / "routes.txt");
  EXPECT_TRUE(refused.error().reason.starts_with("holds no route")) << refused.error().reason;
  const auto allowed = read_with("routes = [{ file = \"routes.txt\", allow_empty = true }]\n");
  ASSERT_TRUE(allowed) << allowed.error().to_string();
  // One entry that means it does not speak for another.
  EXPECT_FALSE(read_with("routes = [{ file = \"routes.txt\", allow_empty = true }, \"routes.txt\"]\n"));
}

TEST_F(PolicyFiles, DuplicatesAreCountedBehindTheFirstTwenty) {
  std::string content;
  for (int i = 0; i < 50; ++i)
    content += "1.0." + std::to_string(i) + ".0/24 pair\n";
  folder_.write("routes.txt", content);
  const auto policy = read_with("routes = [\"routes.txt\", \"routes.txt\"]\n");
  ASSERT_TRUE(policy) << policy.error().to_string();
  const auto said = warnings(**policy);
  ASSERT_EQ(said.size(), 20U);
  EXPECT_EQ(
      said.back(),
      "routes.txt:20: duplicate 1.0.19.0/24 and 30 more in zone onprem, first at routes.txt:20; the last "
      "one wins");
  EXPECT_EQ((*policy)->zone("onprem")->table.duplicates(), 50U);
}

TEST_F(PolicyFiles, WarnsOfWhatCannotForward) {
  const auto policy = read_with("[port.idle]\ndevice = \"net_null0\"\n");
  ASSERT_TRUE(policy) << policy.error().to_string();
  EXPECT_EQ(warnings(**policy),
            (Lines{"sekisho.toml:14: port idle is in no zone: everything received on it is dropped",
                   "sekisho.toml:11: zone onprem has no route: everything from it is dropped"}));
}

TEST_F(PolicyFiles, ZonesShareAFileAndKeepTheirPortsAndSources) {
  folder_.write("routes.txt", "1.0.0.0/8\n");
  const auto policy = read_with(
      "routes = [{ file = \"routes.txt\", next_hop = \"pair\" }]\n[zone.vnet]\nport = [\"lan\"]\nsources = "
      "[\"10.0.0.0/16\"]\nroutes = [{ file = \"routes.txt\", next_hop = \"None\" }]\n");
  ASSERT_TRUE(policy) << policy.error().to_string();
  EXPECT_EQ(winners(**policy, "onprem"), (Lines{"1.0.0.0/8 User pair routes.txt:1"}));
  EXPECT_EQ(winners(**policy, "vnet"), (Lines{"1.0.0.0/8 User None routes.txt:1"}));
  ASSERT_EQ((*policy)->zones.size(), 2U);
  EXPECT_EQ((*policy)->zones[1].name, "vnet");
  EXPECT_EQ((*policy)->zones[1].ports, (Lines{"lan"}));
  EXPECT_EQ((*policy)->zones[1].sources, (std::vector<base::Prefix>{{10U << 24, 16}}));
}

TEST(Policy, TheShippedExampleDecidesAsItSays) {
  const auto policy = read(std::filesystem::path{SEKISHO_EXAMPLES} / "halves.toml");
  ASSERT_TRUE(policy) << policy.error().to_string();
  EXPECT_EQ(check::warnings(**policy), Lines{});
  const auto next_hop = [&](std::string_view zone, std::string_view address) -> std::string {
    const auto route = (*policy)->zone(zone)->table.lookup(*base::parse_address(address));
    return route ? (*policy)->names[route->next_hop] : "no route";
  };
  EXPECT_EQ(next_hop("onprem", "8.8.8.8"), "firewall");
  EXPECT_EQ(next_hop("onprem", "203.0.113.1"), "firewall");
  EXPECT_EQ(next_hop("onprem", "10.0.3.4"), "vnet-gateway");
  EXPECT_EQ(next_hop("onprem", "10.1.0.1"), "None");
  EXPECT_EQ(next_hop("onprem", "20.118.99.224"), "Internet");
  EXPECT_EQ(next_hop("onprem", "192.0.2.1"), "None");
  EXPECT_EQ(next_hop("onprem", "198.51.100.77"), "second-gateway");
  EXPECT_EQ((*policy)->exceptions.size(), 3U);
  EXPECT_EQ(next_hop("vnet", "172.16.1.1"), "onprem-gateway");
  EXPECT_EQ(next_hop("vnet", "172.32.1.1"), "firewall");
  EXPECT_EQ(next_hop("internet", "172.16.1.1"), "onprem-gateway");
  EXPECT_EQ(next_hop("internet", "10.0.3.4"), "vnet-gateway");
  EXPECT_EQ(next_hop("internet", "8.8.8.8"), "no route");
}

}  // namespace
}  // namespace sekisho::policy
