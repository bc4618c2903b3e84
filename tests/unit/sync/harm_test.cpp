// SPDX-License-Identifier: BSD-3-Clause
// What a reload would break that works now, decided by policies and views alone.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "common/base/prefix.hpp"
#include "control/sync/harm.hpp"
#include "tests/unit/sample_policy.hpp"
#include "tests/unit/temporary_folder.hpp"

namespace sekisho::sync {
namespace {

using test::ip;
using testing::HasSubstr;
using testing::IsEmpty;

class HarmTest : public testing::Test {
 protected:
  HarmTest() {
    is("10.0.2.10", "REACHABLE");
    is("10.0.2.20", "STALE");
  }

  void is(const char* address, const char* state) {
    const bool usable = std::string_view(state) == "REACHABLE" || std::string_view(state) == "STALE";
    mirror.neighbours[{2, ip(address)}] = {.state = state, .usable = usable, .mac = {2, 0, 0, 0, 0, 10}};
  }
  // The base with one piece of text replaced.
  auto policy(const std::string& old = "", const std::string& now = "") {
    const auto text = test::replaced(test::internet_by_halves, old, now);
    return policy::read(folder.write("sekisho.toml", text)).value();
  }
  auto harms_of(const std::string& old, const std::string& now) {
    const auto before = policy();
    const auto after = policy(old, now);
    auto before_view = view(before->config, mirror);
    auto after_view = view(after->config, mirror);
    before_view.exit = exit_before;
    after_view.exit = exit_after;
    return harms({*before, before_view}, {*after, after_view}, devices);
  }

  test::TemporaryFolder folder;
  netlink::Mirror mirror = test::both_ports();
  Devices devices{.running = {"lan", "egress"}, .absent = {}};
  std::optional<reach::Exit> exit_before;
  std::optional<reach::Exit> exit_after;
};

TEST_F(HarmTest, NothingChanges) {
  EXPECT_THAT(harms_of("", ""), IsEmpty());
}

TEST_F(HarmTest, APortThatRunsLeavesTheConfiguration) {
  devices.running = {"lan", "egress", "old"};
  const auto found = harms_of("", "");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].kind, Harm::Kind::port_stops);
  EXPECT_EQ(found[0].sentence, "port old would run no more: the configuration has no such port");
  EXPECT_FALSE(found[0].may_heal);
}

TEST_F(HarmTest, ThePortsDeviceIsNotThere) {
  devices.absent = {{"lan", "there is no interface lan9"}};
  const auto found = harms_of("af_xdp:lan0", "af_xdp:lan9");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].sentence, "port lan would run no more: there is no interface lan9");
}

TEST_F(HarmTest, APortThatDoesNotRunMayDoAnything) {
  devices.running = {"egress"};
  devices.absent = {{"lan", "there is no interface lan9"}};
  EXPECT_THAT(harms_of("af_xdp:lan0", "af_xdp:lan9"), IsEmpty());
}

TEST_F(HarmTest, ANextHopLosesItsLastLivingMember) {
  const auto found = harms_of(R"(["10.0.2.10", "10.0.2.11"])", R"(["10.0.2.11", "10.0.2.12"])");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].kind, Harm::Kind::next_hop_dies);
  EXPECT_EQ(found[0].name, "firewall");
  EXPECT_THAT(found[0].sentence,
              HasSubstr("next hop firewall is alive and would lose its last living member"));
  EXPECT_THAT(found[0].sentence, HasSubstr("10.0.2.12: neighbour is not resolved yet"));
  EXPECT_TRUE(found[0].may_heal);
}

TEST_F(HarmTest, OneOfTheNewMembersAnswers) {
  is("10.0.2.12", "REACHABLE");
  EXPECT_THAT(harms_of(R"(["10.0.2.10", "10.0.2.11"])", R"(["10.0.2.11", "10.0.2.12"])"), IsEmpty());
}

TEST_F(HarmTest, AMemberThatNoPortLeadsToNeverHeals) {
  const auto found = harms_of(R"(["10.0.2.10", "10.0.2.11"])", R"(["10.0.9.9"])");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_FALSE(found[0].may_heal);
}

TEST_F(HarmTest, ANextHopThatIsDeadMayBeRescued) {
  is("10.0.2.10", "FAILED");
  EXPECT_THAT(harms_of(R"(["10.0.2.10", "10.0.2.11"])", R"(["10.0.2.12"])"), IsEmpty());
}

TEST_F(HarmTest, ANewNextHopMayBeDead) {
  EXPECT_THAT(harms_of("[next_hop.other]", "[next_hop.absent]\nmembers = [\"10.0.2.99\"]\n[next_hop.other]"),
              IsEmpty());
}

TEST_F(HarmTest, InternetTrafficMovesToADeadNextHopOfAnotherName) {
  const auto before = policy();
  auto text = test::internet_by_halves;
  text.replace(text.find("via = \"firewall\""), 16, "via = \"second\"");
  const auto after =
      policy::read(folder.write("sekisho.toml", text + "[next_hop.second]\nmembers = [\"10.0.2.99\"]\n"))
          .value();
  const auto before_view = view(before->config, mirror);
  const auto found = harms({*before, before_view}, {*after, view(after->config, mirror)}, devices);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_THAT(found[0].sentence,
              HasSubstr("internet traffic would move from next hop firewall, which is alive, to second"));
  is("10.0.2.99", "REACHABLE");
  EXPECT_THAT(harms({*before, before_view}, {*after, view(after->config, mirror)}, devices), IsEmpty());
}

TEST_F(HarmTest, TheExitGoesDown) {
  exit_before = reach::Exit{.port = "egress", .netdev = "egress0", .ready = true, .why = "ready"};
  exit_after = reach::Exit{.port = "lan", .netdev = "lan0", .ready = false, .why = "port lan has no gateway"};
  const auto found = harms_of("", "");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].sentence, "next hop Internet is ready and would be down: port lan has no gateway");
  exit_after->asking = true;
  EXPECT_THAT(harms_of("", ""), IsEmpty());
  exit_after->asking = false;
  exit_before->ready = false;
  EXPECT_THAT(harms_of("", ""), IsEmpty());
}

TEST_F(HarmTest, AZonesTableIsEmptied) {
  const auto found = harms_of(R"([{ prefix = "172.16.0.0/12", next_hop = "other" }])", "[]");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].kind, Harm::Kind::table_empties);
  EXPECT_EQ(found[0].sentence, "zone internet has 1 route that leads somewhere and would have none");
}

constexpr const char* onprem = R"([zone.onprem]
port = ["lan"]
sources = ["172.16.0.0/12"]
internet = true
)";

TEST_F(HarmTest, AZoneGoesFromUnderItsSources) {
  const auto found = harms_of(onprem, "");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].kind, Harm::Kind::zone_goes);
  EXPECT_EQ(found[0].name, "onprem");
  EXPECT_EQ(found[0].sentence,
            "zone onprem would be gone, and what comes in by port lan from 172.16.0.0/12 dropped");
  EXPECT_FALSE(found[0].may_heal);
  devices.running = {"egress"};
  EXPECT_THAT(harms_of(onprem, ""), IsEmpty()) << "nothing comes in by a port that does not run";
}

TEST_F(HarmTest, AnotherZoneMayTakeOver) {
  const auto other = [](const char* sources, const char* internet) {
    return fmt::format("[zone.branches]\nport = [\"lan\"]\nsources = [\"{}\"]\ninternet = {}\n", sources,
                       internet);
  };
  EXPECT_THAT(harms_of(onprem, other("172.0.0.0/8", "true")), IsEmpty());
  EXPECT_EQ(harms_of(onprem, other("172.16.0.0/16", "true")).size(), 1U);
  EXPECT_EQ(harms_of(onprem, other("172.0.0.0/8", "false")).size(), 1U) << "it has no route to go on by";
}

TEST_F(HarmTest, SeveralAreOneSentence) {
  devices.absent = {{"lan", "there is no interface lan0"}};
  const auto found = harms_of(R"([{ prefix = "172.16.0.0/12", next_hop = "other" }])", "[]");
  EXPECT_EQ(to_string(found),
            "port lan would run no more: there is no interface lan0; zone internet has 1 route that leads "
            "somewhere and would have none");
}

}  // namespace
}  // namespace sekisho::sync
