// SPDX-License-Identifier: BSD-3-Clause
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "control/config/config.hpp"
#include "control/config/resolve.hpp"
#include "tests/unit/config/edited.hpp"

namespace sekisho::config {
namespace {

TEST_F(EditedConfig, Probes) {
  const std::string members = "members = [\"10.0.1.1\"]";
  const auto with = [&](const std::string& probe) { return members + "\nprobe = { " + probe + " }"; };
  const std::string other = "\n[next_hop.same]\n" + members + "\nprobe = { type = \"icmp\" }";
  expect({
      {members, with("type = \"icmp\""), ""},
      {members, with("type = \"tcp\", port = 443, interval = \"200ms\", hold = \"0s\""), ""},
      {members, with("type = \"http\", port = 80, path = \"/ready?all=1\", status = 204"), ""},
      {members, with("type = \"tcp\", through = [\"198.51.100.80:443\", \"www.example.com:443\"]"), ""},
      {members, members + "\nprobe = \"icmp\"", "12: \"probe\" in [next_hop.gateway] must be a table, {"},
      {members, with("port = 443"), "12: \"probe\" needs \"type\""},
      {members, with("type = \"udp\""),
       "12: \"type\" in \"probe\" is \"icmp\", \"tcp\" or \"http\", not \"udp\""},
      {members, with("type = \"tcp\""), "12: \"probe\" needs \"port\", of the member itself, or \"through\""},
      {members, with("type = \"tcp\", port = 1, through = \"198.51.100.80:1\""),
       "12: \"port\" asks the member itself and \"through\" what is beyond it"},
      {members, with("type = \"icmp\", port = 1"), "12: \"port\" is for tcp and http"},
      {members, with("type = \"icmp\", through = \"198.51.100.80:1\""),
       "12: \"through\" is for tcp and http"},
      {members, with("type = \"tcp\", port = 1, path = \"/\""), "12: \"path\" is for type = \"http\""},
      {members, with("type = \"tcp\", port = 0"), "12: \"port\" is 1 to 65535, not 0"},
      {members, with("type = \"http\", port = 80, status = 600"), "12: \"status\" is 100 to 599, not 600"},
      {members, with("type = \"http\", port = 80, path = \"ready\""), "12: \"ready\" is not a path of HTTP"},
      {members, with("type = \"http\", port = 80, path = \"/a b\""), "12: \"/a b\" is not a path of HTTP"},
      {members, with("type = \"tcp\", through = \"198.51.100.80\""),
       "12: \"198.51.100.80\" is not ADDRESS:PORT or NAME:PORT"},
      {members, with("type = \"tcp\", through = \"198.51.100.80:0\""), "12: \"198.51.100.80:0\" is not"},
      {members, with("type = \"tcp\", through = \"224.0.0.1:80\""), "12: 224.0.0.1 is in"},
      {members, with("type = \"tcp\", through = [\"198.51.100.80:1\", \"198.51.100.80:1\"]"),
       "12: duplicate target 198.51.100.80:1"},
      {members, with("type = \"tcp\", through = []"), "12: \"through\" is empty"},
      {members, with("type = \"icmp\", interval = \"1s\", timeout = \"2s\""),
       "12: \"timeout\" 2s is longer than \"interval\" 1s: the next probe would go out before this one is "
       "lost"},
      {members, with("type = \"icmp\", timeout = \"501ms\""),
       "12: \"timeout\" 501ms is longer than \"interval\" 500ms"},
      {members, with("type = \"icmp\", interval = \"10ms\""), "12: \"interval\" is 50ms to 1h, not 10ms"},
      {members, with("type = \"icmp\", interval = \"soon\""), "12: \"soon\" is not a time: write \"500ms\""},
      {members, with("type = \"icmp\", interval = 500"),
       "12: \"interval\" in \"probe\" must be a string, not an integer"},
      {members, with("type = \"icmp\", down_after = 0"), "12: \"down_after\" is 1 to 100, not 0"},
      {members, with("type = \"icmp\", up_afer = 3"),
       "12: \"up_afer\" is not a key of \"probe\"; did you mean \"up_after\"?"},
      {members, with("type = \"icmp\"") + other, ""},
      {members, with("type = \"tcp\", port = 443") + other,
       "15: member 10.0.1.1 has another probe in [next_hop.gateway] (line 12)"},
      {members, "members = [\"10.0.2.77\"]\nprobe = { type = \"icmp\" }",
       "12: member 10.0.2.77 cannot be probed: the kernel has no interface of port wire"},
  });
}

TEST(Config, AProbeHasTimesThatGoTogether) {
  const auto read_probe = [](const std::string& probe) {
    const auto config = parse(
        "port.a.device = \"af_xdp:lan0\"\n[next_hop.n]\nmembers = [\"10.0.1.1\"]\n"
        "probe = { " +
            probe + " }\n",
        "sekisho.toml");
    EXPECT_TRUE(config) << config.error().to_string();
    return config->next_hops.at(0).probe.value();
  };
  const auto usual = read_probe("type = \"tcp\", port = 443");
  EXPECT_EQ(longest_to_move(usual), std::chrono::milliseconds{2050});
  EXPECT_EQ(to_string(usual), "tcp 443");
  EXPECT_EQ(usual.hold, std::chrono::seconds{30});
  const auto quick = read_probe(
      "type = \"http\", through = [\"198.51.100.80:80\", \"www.example.com:81\"], "
      "interval = \"100ms\", down_after = 2, hold = \"5m\"");
  EXPECT_EQ(quick.timeout, std::chrono::milliseconds{100});
  EXPECT_EQ(longest_to_move(quick), std::chrono::milliseconds{350});
  EXPECT_EQ(to_string(quick), "http 198.51.100.80:80, www.example.com:81 through it");
  EXPECT_EQ(quick.through[0].addresses.size(), 1U);
  EXPECT_TRUE(quick.through[1].addresses.empty()) << "names are resolved by who runs it";
  EXPECT_EQ(quick.hold, std::chrono::minutes{5});
}

TEST(Config, NamesOfProbesAreResolvedOrRefused) {
  const auto resolved = [](const std::string& target) -> tl::expected<Config, base::Error> {
    auto config = parse(
        "port.a.device = \"af_xdp:lan0\"\n[next_hop.n]\nmembers = [\"10.0.1.1\"]\n"
        "probe = { type = \"tcp\", through = \"" +
            target + "\" }\n",
        "sekisho.toml");
    EXPECT_TRUE(config) << config.error().to_string();
    if (auto refused = resolve_names(*config))
      return tl::unexpected(*refused);
    return config;
  };
  const auto local = resolved("localhost:80");
  ASSERT_TRUE(local) << local.error().to_string();
  EXPECT_EQ(local->next_hops[0].probe->through[0].addresses, std::vector<std::uint32_t>{ip(127, 0, 0, 1)});
  EXPECT_EQ(resolved("198.51.100.80:80")->next_hops[0].probe->through[0].addresses.size(), 1U);
  const auto unknown = resolved("no-such-host.invalid:80");
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().line, 4U);
  EXPECT_TRUE(unknown.error().reason.starts_with("probe target \"no-such-host.invalid\" "));
}

}  // namespace
}  // namespace sekisho::config
