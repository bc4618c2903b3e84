// SPDX-License-Identifier: BSD-3-Clause
#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "control/config/config.hpp"
#include "tests/unit/config/edited.hpp"

namespace sekisho::config {
namespace {

TEST_F(EditedConfig, Learning) {
  const auto with = [](const std::string& line) { return "asn = 65010\n" + line + "\n"; };
  const std::string asn = "asn = 65010\n";
  expect(
      {
          {asn, with("table = 0"), "38: \"table\" is a table of the kernel's for learned routes alone"},
          {asn, with("table = 254"), "38: \"table\" is a table"},
          {asn, with("table = 830000"), "38: \"table\" is a table"},
          {asn, with("table = 829999"), ""},
          {asn, with("protocols = [\"bgp\", 12]"), "38: "},
          {asn, with("protocols = [\"bgp\", \"12\", \"static\"]"), ""},
          {asn, with("protocols = []"), "38: \"protocols\" in [bgp] is empty"},
          {asn, with("protocols = [\"kernel\"]"), "38: \"kernel\" is no protocol of routes that are learned"},
          {asn, with("protocols = [\"83\"]"), "38: \"83\" is no protocol"},
          {asn, with("protocols = [\"256\"]"), "38: \"256\" is no protocol"},
          {asn, with("protocols = [\"bgp\", \"186\"]"), "38: duplicate protocol \"186\""},
          {asn, with("max_prefixes = 0"), "38: \"max_prefixes\" is 1 to 2000000, not 0"},
          {asn, with("max_prefixes = 2000001"), "38: \"max_prefixes\" is 1 to 2000000, not 2000001"},
          {asn, with("learned_hold = \"0s\""), ""},
          {asn, with("learned_hold = \"2h\""), "38: \"learned_hold\" is 0ms to 1h, not 2h"},
          {asn, with("learned_hold = 120"), "38: \"learned_hold\" in [bgp] must be a string"},
      },
      azure_fixture);
}

constexpr std::string_view two_zones = R"(
[port.lan]
device = "af_xdp:lan0"
[port.wan]
device = "af_xdp:wan0"
[next_hop.firewall]
members = ["10.0.2.10"]
[next_hop.other]
members = ["10.0.2.11"]
[internet]
via = "firewall"
[zone.a]
port = ["lan"]
sources = ["bgp"]
internet = true
via = "other"
follow_default = true
routes = ["bgp", "udr.txt"]
[zone.b]
port = ["wan"]
sources = ["0.0.0.0/0"]
internet = true
[bgp]
protocols = ["static", "bird", "bgp"]
table = 7
max_prefixes = 5
learned_hold = "1500ms"
)";

TEST(Config, WhoOnlyLearnsNeedsNeitherPeersNorANumber) {
  const auto config = parse(two_zones, "sekisho.toml");
  ASSERT_TRUE(config) << config.error().to_string();
  EXPECT_EQ(config->bgp->asn, 0U);
  EXPECT_EQ(config->bgp->learning, (Learning{.table = 7,
                                             .protocols = {4, 12, 186},
                                             .max_prefixes = 5,
                                             .hold = std::chrono::milliseconds{1500}}));
  const auto& zone = config->zones[0];
  EXPECT_TRUE(zone.learned_sources && zone.learned_routes && zone.follow_default);
  EXPECT_TRUE(zone.sources.empty());
  ASSERT_EQ(zone.routes.size(), 1U);
  EXPECT_EQ(config->via_of(zone), "other");
  EXPECT_EQ(config->via_of(config->zones[1]), "firewall");
  EXPECT_TRUE(config->learns());
  EXPECT_EQ(route_protocol_name(186), "bgp");
  EXPECT_EQ(route_protocol_name(200), "200");
}

TEST(Config, ZonesOfOnePortCannotBothHaveLearnedSources) {
  std::string text{two_zones};
  text.replace(text.find("port = [\"wan\"]"), 14, "port = [\"lan\", \"wan\"]");
  text.replace(text.find("\"0.0.0.0/0\""), 11, "\"bgp\"");
  const auto refused = parse(text, "sekisho.toml");
  ASSERT_FALSE(refused);
  EXPECT_EQ(
      refused.error().to_string(),
      "sekisho.toml:19: zones a and b have \"bgp\" among their sources and share port lan: whose a learned "
      "prefix is would not be known");
}

}  // namespace
}  // namespace sekisho::config
