// SPDX-License-Identifier: BSD-3-Clause
// What a reload would change, overrides on top of a policy, and where the configuration that runs comes from.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <string>

#include "common/base/prefix.hpp"
#include "common/base/stamp.hpp"
#include "control/serve/override.hpp"
#include "control/serve/plan.hpp"
#include "control/serve/show.hpp"
#include "tests/unit/temporary_folder.hpp"

namespace sekisho::serve {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::string_view base = R"([port.lan]
device = "af_xdp:lan0"
[next_hop.firewall]
members = ["10.0.2.10"]
[next_hop.gateway]
members = ["10.0.2.20"]
[zone.onprem]
port = ["lan"]
sources = ["172.16.0.0/12"]
routes = [{ file = "routes.txt", next_hop = "firewall", allow_empty = true }]
)";

class PlanTest : public testing::Test {
 protected:
  auto policy(const std::string& routes, const std::string& more = "") {
    static_cast<void>(folder.write("routes.txt", routes));
    return policy::read(folder.write("sekisho.toml", std::string(base) + more)).value();
  }
  static Plan plan(std::shared_ptr<const policy::Policy> before,
                   std::shared_ptr<const policy::Policy> after) {
    const auto seen = [](const policy::Policy& of) { return sync::view(of.config, {}); };
    return {before, seen(*before), after, seen(*after)};
  }
  static OverrideRequest request(OverrideRequest::Verb verb, const char* prefix, const char* next_hop = "") {
    return {verb, "onprem", base::parse_prefix(prefix).value(), next_hop};
  }
  static auto apply(const policy::Policy& before, const OverrideRequest& change) {
    OverrideEdit edit{before};
    return edit.apply(RouteRequest{.changes = {change}}).and_then([&] { return edit.finish(); });
  }
  // The next hop of exactly this prefix; "-" where there is none.
  static std::string next_hop(const policy::Policy& policy, const char* prefix) {
    const auto wanted = base::parse_prefix(prefix).value();
    for (const auto& route : policy.zones[0].table.winners()) {
      if (route.prefix == wanted) {
        return policy.names[route.next_hop];
      }
    }
    return "-";
  }

  test::TemporaryFolder folder;
};

using Verb = OverrideRequest::Verb;

TEST_F(PlanTest, NamesWhatComesGoesAndChanges) {
  const auto before = policy("10.1.0.0/16\n10.2.0.0/16\n10.3.0.0/16 None\n",
                             "[zone.old]\nport = [\"lan\"]\nsources = [\"192.168.0.0/16\"]\n");
  const auto after = policy("10.1.0.0/16\n10.2.0.0/16 gateway\n10.4.0.0/16\n",
                            "[zone.young]\nport = [\"lan\"]\nsources = [\"192.168.0.0/16\"]\n"
                            "routes = [{ prefix = \"10.9.0.0/16\", next_hop = \"None\" }]\n"
                            "[port.wan]\ndevice = \"af_xdp:wan0\"\n");
  PlanPages pages(plan(before, after));
  const auto head = plan_json(pages.plan());
  EXPECT_EQ(head["ports"],
            (Json{{"added", {"wan"}}, {"removed", Json::array()}, {"changed", Json::array()}}));
  EXPECT_EQ(head["zones"], (Json{{"added", {"young"}}, {"removed", {"old"}}, {"changed", Json::array()}}));
  EXPECT_EQ(head["routes"], (Json{{"added", 4}, {"changed", 1}, {"removed", 1}}));
  ASSERT_TRUE(pages.more());
  std::vector<std::string> lines;
  for (const auto& change : pages.next()) {
    lines.push_back(change["change"].get<std::string>() + change["zone"].get<std::string>() + " " +
                    change["prefix"].get<std::string>() + " " + change["before"].dump() +
                    change["after"].dump());
  }
  EXPECT_THAT(
      lines, ElementsAre(R"(~onprem 10.2.0.0/16 "firewall""gateway")", R"(-onprem 10.3.0.0/16 "None"null)",
                         R"(+onprem 10.4.0.0/16 null"firewall")", R"(+young 10.9.0.0/16 null"None")",
                         // The platform's own addresses, in every zone.
                         R"(+young 168.63.129.16/32 null"None")", R"(+young 169.254.169.254/32 null"None")"));
  EXPECT_FALSE(pages.more());
}

TEST_F(PlanTest, IsEmptyWhereTheFilesSayWhatRuns) {
  const auto before = policy("10.1.0.0/16\n");
  PlanPages pages(plan(before, policy("10.1.0.0/16 firewall\n")));
  EXPECT_FALSE(pages.more());
  EXPECT_EQ(plan_json(pages.plan())["routes"], (Json{{"added", 0}, {"changed", 0}, {"removed", 0}}));
}

// None of these is a route, a name that comes or goes, or anything else that the dataplane's objects show.
TEST_F(PlanTest, NamesWhatMovesWithoutARoute) {
  const auto with = [&](const char* exit, const char* metrics) {
    return policy(
        "", std::string("[port.wan]\ndevice = \"af_xdp:wan0\"\n[internet]\nvia = \"firewall\"\nexit = {") +
                " port = \"" + exit + "\" }\n" + metrics);
  };
  const auto before = with("lan", "");
  const auto head = plan_json(plan(before, with("wan", R"([metrics]
listen = "127.0.0.1:9464"
[health]
listen = ["10.0.1.4:80", "10.0.2.4:80"]
require = ["next_hop:firewall"]
[web]
listen = "127.0.0.1:8088"
hosts = ["NVA1.example.net"]
[hook]
on_change = "/bin/true"
)")));
  EXPECT_EQ(head["exit"], (Json{{"before", "lan"}, {"after", "wan"}}));
  EXPECT_EQ(head["metrics"], (Json{{"before", nullptr}, {"after", "127.0.0.1:9464"}}));
  EXPECT_EQ(head["health"],
            (Json{{"before", nullptr}, {"after", "10.0.1.4:80, 10.0.2.4:80; requires next_hop:firewall"}}));
  EXPECT_EQ(head["web"], (Json{{"before", nullptr}, {"after", "127.0.0.1:8088; called nva1.example.net"}}));
  EXPECT_EQ(head["hook"], (Json{{"before", nullptr}, {"after", "/bin/true"}}));
  const auto none = plan_json(plan(before, policy("")));
  EXPECT_EQ(none["exit"], (Json{{"before", "lan"}, {"after", nullptr}}));
}

TEST_F(PlanTest, NamesSettingsThatDiffer) {
  const auto before = policy("");
  const auto after = policy("", R"([bgp]
asn = 65010
peer = [{ address = "10.0.3.4", asn = 65515, prepend = 2 }]
[guard]
scope = "ports"
allow = ["docker0"]
[icmp]
no_route = "none"
)");
  const auto settings = plan_json(plan(before, after))["settings"];
  EXPECT_THAT(settings["bgp"]["after"].get<std::string>(), HasSubstr("peer 10.0.3.4 AS 65515"));
  EXPECT_THAT(settings["bgp"]["after"].get<std::string>(), HasSubstr("prepend 2"));
  EXPECT_EQ(settings["bgp"]["before"], nullptr);
  EXPECT_EQ(settings["guard"], (Json{{"before", "the whole host"}, {"after", "all but docker0"}}));
  EXPECT_THAT(settings["icmp"]["after"].get<std::string>(), HasSubstr("no route none"));
  EXPECT_FALSE(settings.contains("ip_options"));
  EXPECT_EQ(plan_json(plan(before, before))["settings"], Json::object());
}

// Whole values are compared, whatever is shown of them.
TEST_F(PlanTest, ComparesSettingsWhole) {
  const auto moved = [&](const std::string& before, const std::string& after) {
    return plan_json(plan(policy("", before), policy("", after)))["settings"];
  };
  const auto assertion = [](const std::string& rest) {
    return "[[assert]]\nfrom = \"zone:onprem\"\nvia = \"firewall\"\n" + rest;
  };
  const auto ends =
      moved(assertion("to = \"internet\"\n"), assertion("to = \"10.0.0.0/8\"\nexcept = \"10.1.0.0/16\"\n"));
  EXPECT_THAT(ends["assert"]["before"].get<std::string>(), HasSubstr("to Internet via firewall"));
  EXPECT_THAT(ends["assert"]["after"].get<std::string>(),
              HasSubstr("to 10.0.0.0/8 except 10.1.0.0/16 via firewall"));

  const auto advertising = [](unsigned count, const std::string& last) {
    std::string text = "[bgp]\nasn = 65010\npeer = [{ address = \"10.0.3.4\", asn = 65515 }]\nadvertise = [";
    for (unsigned i = 0; i < count; ++i) {
      text += fmt::format("\"10.{}.0.0/16\", ", i);
    }
    return text + "\"" + last + "\"]\n";
  };
  const auto advertised = moved(advertising(20, "10.50.0.0/16"), advertising(20, "10.51.0.0/16"));
  EXPECT_EQ(advertised, (Json{{"advertised",
                               {{"before", "21 prefixes, only here: 10.50.0.0/16"},
                                {"after", "21 prefixes, only here: 10.51.0.0/16"}}}}));
  const auto many = moved("[bgp]\nasn = 65010\npeer = [{ address = \"10.0.3.4\", asn = 65515 }]\n",
                          advertising(20, "10.50.0.0/16"));
  EXPECT_EQ(many["advertised"]["before"], nullptr);
  EXPECT_THAT(many["advertised"]["after"].get<std::string>(), HasSubstr("10.7.0.0/16 and 13 more"));

  const auto internet = std::string("[internet]\nvia = \"firewall\"\n");
  EXPECT_EQ(moved(internet, internet + "assert = false\n"),
            (Json{{"internet", {{"before", "asserted"}, {"after", "not asserted"}}}}));

  const auto learning = [](const std::string& routes, const std::string& sources) {
    return "[bgp]\n[zone.young]\nport = [\"lan\"]\nsources = [\"192.168.0.0/16\"" + sources +
           "]\nroutes = [" + routes + "]\n";
  };
  EXPECT_EQ(moved(learning("", ""), learning("\"bgp\"", ", \"bgp\""))["zones_learn"],
            (Json{{"before", nullptr}, {"after", "zone young: sources, routes"}}));
}

TEST_F(PlanTest, NamesANextHopWhoseMembersNoPortLeadsTo) {
  const auto before = policy("");
  auto after = std::make_shared<policy::Policy>(*before);
  after->config.next_hops[0].members = {0x0a00020b};
  EXPECT_EQ(plan_json(plan(before, after))["next_hops"]["changed"], Json::array({"firewall"}));
}

TEST_F(PlanTest, ComesInPages) {
  std::string routes;
  for (std::uint32_t i = 0; i < 5000; ++i) {
    routes += base::to_string({(20U << 24) + (i << 8), 24}) + "\n";
  }
  PlanPages pages(plan(policy(""), policy(routes)));
  EXPECT_EQ(plan_json(pages.plan())["routes"]["added"], 5000);
  EXPECT_EQ(pages.next().size(), PlanPages::page_size);
  ASSERT_TRUE(pages.more());
  EXPECT_EQ(pages.next().size(), 5000 - PlanPages::page_size);
  EXPECT_FALSE(pages.more());
}

TEST_F(PlanTest, AddRefusesAPrefixThatHasAUserRoute) {
  const auto before = policy("10.1.0.0/16\n");
  const auto refused = apply(*before, request(Verb::add, "10.1.0.0/16", "gateway"));
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error(), HasSubstr("zone onprem has a User route to 10.1.0.0/16 already, by firewall"));
  const auto added = apply(*before, request(Verb::add, "10.2.0.0/16", "gateway")).value();
  EXPECT_EQ(next_hop(*added, "10.2.0.0/16"), "gateway");
  EXPECT_EQ(next_hop(*added, "10.1.0.0/16"), "firewall");
  EXPECT_FALSE(apply(*added, request(Verb::add, "10.2.0.0/16", "firewall")));
}

TEST_F(PlanTest, ReplaceWantsOrMakesOne) {
  const auto before = policy("10.1.0.0/16\n");
  const auto replaced = apply(*before, request(Verb::replace, "10.1.0.0/16", "None")).value();
  EXPECT_EQ(next_hop(*replaced, "10.1.0.0/16"), "None");
  const auto again = apply(*replaced, request(Verb::replace, "10.1.0.0/16", "gateway")).value();
  EXPECT_EQ(next_hop(*again, "10.1.0.0/16"), "gateway");
  EXPECT_EQ(again->overrides.size(), 1U);
  EXPECT_EQ(next_hop(*apply(*again, request(Verb::replace, "10.5.0.0/16", "gateway")).value(), "10.5.0.0/16"),
            "gateway");
}

TEST_F(PlanTest, DelTakesTheFilesRouteToo) {
  const auto before = policy("10.1.0.0/16\n");
  EXPECT_EQ(apply(*before, request(Verb::del, "10.2.0.0/16")).error(),
            "zone onprem has no User route to 10.2.0.0/16");
  const auto replaced = apply(*before, request(Verb::replace, "10.1.0.0/16", "gateway")).value();
  const auto removed = apply(*replaced, request(Verb::del, "10.1.0.0/16")).value();
  EXPECT_EQ(next_hop(*removed, "10.1.0.0/16"), "-");
  EXPECT_THAT(removed->overrides, ElementsAre(policy::Override{
                                      "onprem", base::parse_prefix("10.1.0.0/16").value(), std::nullopt}));
  EXPECT_FALSE(apply(*removed, request(Verb::del, "10.1.0.0/16")));
  const auto back = apply(*removed, request(Verb::add, "10.1.0.0/16", "firewall")).value();
  EXPECT_EQ(next_hop(*back, "10.1.0.0/16"), "firewall");
}

TEST_F(PlanTest, DelOfWhatOnlyAnOverrideHasLeavesNothingBehind) {
  const auto added = apply(*policy("10.1.0.0/16\n"), request(Verb::add, "10.2.0.0/16", "gateway")).value();
  const auto removed = apply(*added, request(Verb::del, "10.2.0.0/16")).value();
  EXPECT_TRUE(removed->overrides.empty());
  EXPECT_EQ(next_hop(*removed, "10.2.0.0/16"), "-");
}

// Each on top of those before it, and none where one is refused.
TEST_F(PlanTest, ABatchIsAppliedWholeOrNotAtAll) {
  const auto before = policy("10.1.0.0/16\n");
  OverrideEdit edit{*before};
  RouteRequest batch{
      .changes = {request(Verb::del, "10.1.0.0/16"), request(Verb::add, "10.1.0.0/16", "gateway"),
                  request(Verb::add, "10.2.0.0/16", "gateway"), request(Verb::del, "10.2.0.0/16")}};
  EXPECT_TRUE(edit.apply(batch));
  batch = {.changes = {request(Verb::replace, "10.1.0.0/16", "None"),
                       request(Verb::add, "10.3.0.0/16", "gateway"), request(Verb::del, "10.2.0.0/16")},
           .file = "changes.txt"};
  batch.changes.back().line = 7;
  EXPECT_EQ(edit.apply(batch).error(), "changes.txt:7: zone onprem has no User route to 10.2.0.0/16");
  const auto after = edit.finish().value();
  EXPECT_EQ(next_hop(*after, "10.1.0.0/16"), "gateway");
  EXPECT_EQ(next_hop(*after, "10.2.0.0/16"), "-");
  EXPECT_EQ(next_hop(*after, "10.3.0.0/16"), "-");
  ASSERT_EQ(after->overrides.size(), 1U);
  // What was overridden before a batch that is refused stays so.
  OverrideEdit again{*after};
  EXPECT_FALSE(again.apply(
      {.changes = {request(Verb::replace, "10.1.0.0/16", "None"), request(Verb::del, "10.9.0.0/16")}}));
  EXPECT_EQ(again.finish().value()->overrides, after->overrides);
}

TEST_F(PlanTest, ABatchIsReadWholeOrNamesFileLineAndReason) {
  const auto change = [](const char* verb, const char* prefix, Json line) {
    return Json{{"verb", verb},
                {"zone", "onprem"},
                {"prefix", prefix},
                {"next_hop", "gateway"},
                {"line", std::move(line)}};
  };
  const auto read = [&](Json second) {
    const auto result =
        read_overrides(Json{{"command", "route"},
                            {"file", "changes.txt"},
                            {"changes", {change("add", "10.1.0.0/16", 1U), std::move(second)}}});
    return result ? fmt::format("{} {}", to_string(*result), result->changes[1].line) : result.error();
  };
  EXPECT_EQ(read(change("replace", "10.2.0.0/16", 3U)), "batch of 2 changes 3");
  EXPECT_THAT(read(change("replace", "10.2.0.1/16", 3U)), HasSubstr("changes.txt:3: host bits are set"));
  EXPECT_EQ(read(change("put", "10.2.0.0/16", 3U)),
            R"(changes.txt:3: "verb" must be "add", "del" or "replace")");
  EXPECT_EQ(read(change("add", "10.2.0.0/16", "3")), R"(changes[1]: "line" must be a number)");
  EXPECT_EQ(read(3), "changes[1]: must be an object");
  const auto changes = [](Json value) {
    return read_overrides(Json{{"command", "route"}, {"changes", std::move(value)}}).error();
  };
  EXPECT_EQ(changes(Json::array()), R"("changes" must be an array of 1 to 100000)");
  EXPECT_EQ(changes(Json(std::vector<int>(most_changes + 1))),
            R"("changes" must be an array of 1 to 100000)");
}

TEST_F(PlanTest, OverridesObeyTheConfigurationsRules) {
  const auto before = policy("10.1.0.0/16\n");
  auto elsewhere = request(Verb::add, "10.2.0.0/16", "gateway");
  elsewhere.zone = "nowhere";
  EXPECT_EQ(apply(*before, elsewhere).error(), "there is no zone \"nowhere\"");
  EXPECT_THAT(apply(*before, request(Verb::add, "10.2.0.0/16", "gatewya")).error(), HasSubstr("gatewya"));
  EXPECT_THAT(apply(*before, request(Verb::add, "10.2.0.0/16", "Internet")).error(), HasSubstr("exit"));
}

TEST(ReadOverride, RefusesWhatItDoesNotUnderstand) {
  const Json whole{{"verb", "add"}, {"zone", "onprem"}, {"prefix", "10.1.0.0/16"}, {"next_hop", "firewall"}};
  EXPECT_EQ(to_string(read_overrides(whole).value()), "add 10.1.0.0/16 firewall in zone onprem");
  for (const auto& [member, value, reason] :
       {std::tuple{"verb", Json("put"), "\"verb\" must be"},
        std::tuple{"verb", Json("del"), "takes no next hop"},
        std::tuple{"zone", Json(7), "\"zone\" must be a string"},
        std::tuple{"prefix", Json("10.1.0.1/16"), "host bits are set"},
        std::tuple{"dry_run", Json(true), "there is no \"dry_run\" in this request"},
        std::tuple{"next_hop", Json(nullptr), "\"next_hop\" must name"}}) {
    auto broken = whole;
    broken[member] = value;
    const auto read = read_overrides(broken);
    ASSERT_FALSE(read) << broken;
    EXPECT_THAT(read.error(), HasSubstr(reason));
  }
}

TEST_F(PlanTest, ShowConfigTellsFilesOverridesAndTheDifference) {
  const auto running = apply(*policy("10.1.0.0/16\n"), request(Verb::del, "10.1.0.0/16")).value();
  const auto file = folder.write("routes.txt", "10.1.0.0/16\n");
  const auto gone = folder.write("gone", "");
  const Sources sources{.read_unix_ms = 7, .files = {base::stamp(file), base::stamp(gone)}};
  std::filesystem::remove(gone);
  const auto again = policy("10.1.0.0/16\n10.2.0.0/16\n");
  const auto now = [&] { return std::vector{base::stamp(file), base::stamp(gone)}; };
  const auto shown = show_config(*running, sources, {.plan = plan(running, again), .files = now()});
  EXPECT_EQ(shown["read_unix_ms"], 7);
  EXPECT_EQ(shown["files"][0], (Json{{"file", file.string()}, {"since_read", "changed"}}));
  EXPECT_EQ(shown["files"][1]["since_read"], "missing");
  EXPECT_EQ(shown["overrides"],
            Json::array({{{"zone", "onprem"}, {"prefix", "10.1.0.0/16"}, {"next_hop", nullptr}}}));
  EXPECT_EQ(shown["reload"]["routes"]["added"], 2);
  EXPECT_EQ(shown["reload"]["overrides_dropped"], 1);
  const auto refused =
      show_config(*running, sources, {.plan = tl::unexpected(std::string("why")), .files = {}});
  EXPECT_EQ(refused["reload"], (Json{{"refused", "why"}}));
  EXPECT_EQ(refused["files"][0]["since_read"], "unknown");
}

TEST_F(PlanTest, AStampTellsContentThatIsAsLongFromWhatItWas) {
  const auto file = folder.write("routes.txt", "10.1.0.0/16\n");
  const auto before = base::stamp(file);
  EXPECT_EQ(base::since(before, base::stamp(file)), base::Since::unchanged);
  static_cast<void>(folder.write("routes.txt", "10.2.0.0/16\n"));
  std::filesystem::last_write_time(file, std::filesystem::last_write_time(file) + std::chrono::seconds(1));
  EXPECT_EQ(base::since(before, base::stamp(file)), base::Since::changed);
  std::filesystem::remove(file);
  const auto gone = base::stamp(file);
  EXPECT_EQ(base::since(before, gone), base::Since::missing);
  EXPECT_EQ(base::since(gone, base::stamp(file)), base::Since::unchanged);
}

}  // namespace
}  // namespace sekisho::serve
