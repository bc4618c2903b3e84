// SPDX-License-Identifier: BSD-3-Clause
// What the keeper makes of an FRR that forgets, refuses or is gone. A script keeps the `network` statements as bgpd would, and refuses what
// a file says; real FRR does not refuse at will. With real FRR: tests/net/test_advertise.py.
#include "control/advertise/keeper.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>

#include "control/advertise/orders.hpp"
#include "control/frr/vtysh.hpp"
#include "tests/unit/advertise/prefixes.hpp"
#include "tests/unit/temporary_folder.hpp"
#include "tests/unit/until.hpp"

namespace sekisho::advertise {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using namespace std::chrono_literals;

constexpr auto bgpd = R"sh(#!/bin/sh
here=$(dirname "$0"); touch $here/state
if [ -e $here/hangs ]; then sleep 1000; fi
while [ $# -gt 0 ]; do
  case $1 in
    "show running-config no-header")
      if [ -s $here/unread ]; then sed -i 1d $here/unread; printf 'frr version 8.4.4\n!\nend\n'; exit; fi
      printf 'frr version 8.4.4\nrouter bgp 65010\n address-family ipv4 unicast\n'
      sed 's/^/  network /' $here/state
      printf ' exit-address-family\nexit\n!\nend\n' ;;
    "show bgp ipv4 unicast summary json") echo '{"peers":{"10.0.3.4":{"remoteAs":65515,"state":"Established"'"$(cat $here/sent 2>/dev/null)"'}}}' ;;
    *" advertised-routes json") echo '{"advertisedRoutes":{'"$(cat $here/told 2>/dev/null)"'}}' ;;
    "no network "*)
      if [ -e $here/stuck ]; then echo "% Stuck"; exit 1; fi
      if [ -e $here/deaf ]; then shift; continue; fi
      grep -vx "${1#no network }" $here/state >$here/new; mv $here/new $here/state ;;
    "network "*)
      echo "$1" >>$here/orders
      if [ -e $here/deaf ]; then shift; continue; fi
      if [ "${1#network }" = "$(cat $here/refused 2>/dev/null)" ]; then echo "% Refused"; exit 1; fi
      echo "${1#network }" >>$here/state ;;
  esac
  shift
done
)sh";

class KeeperTest : public testing::Test {
 protected:
  KeeperTest() : path{std::getenv("PATH")} {
    ::setenv("PATH", (folder.path().native() + ":" + path).c_str(), 1);
    ::chmod(folder.write("vtysh", bgpd).c_str(), 0755);
    bgp.asn = 65010;
    bgp.peers = {{.address = 0x0a000304, .asn = 65515}};
    bgp.advertising = {.withdraw_after = 0ms, .advertise_after = 0ms};
  }
  ~KeeperTest() override { ::setenv("PATH", path.c_str(), 1); }

  auto state() const -> std::string {
    std::ifstream in{folder.path() / "state"};
    return {std::istreambuf_iterator<char>{in}, {}};
  }
  bool until(const std::function<bool()>& happened) { return test::run_until(io, happened); }
  // How often FRR was told to originate something.
  auto orders() const {
    std::ifstream in{folder.path() / "orders"};
    return std::count(std::istreambuf_iterator<char>{in}, {}, '\n');
  }
  void run_for(std::chrono::milliseconds time) {
    io.restart();
    io.run_for(time);
  }
  void forget(const char* name) { std::filesystem::remove(folder.path() / name); }
  void follow(std::vector<base::Prefix> prefixes = {low, high}) { keeper.follow(bgp, std::move(prefixes)); }
  void look() {
    bool has_looked = false;
    keeper.look([&] { has_looked = true; });
    ASSERT_TRUE(until([&] { return has_looked; }));
  }

  test::TemporaryFolder folder;
  std::string path;
  config::Bgp bgp;
  boost::asio::io_context io;
  std::vector<bool> changes;
  Keeper keeper{io, [this](bool is_announced, const Status&) { changes.push_back(is_announced); }};
};

constexpr auto halves = "0.0.0.0/1\n128.0.0.0/1\n";

TEST_F(KeeperTest, AnnouncesAndWithdraws) {
  follow();
  keeper.judge({});
  ASSERT_TRUE(until([&] { return state() == halves; }));
  look();
  EXPECT_TRUE(keeper.status()->agrees() && keeper.status()->is_settled);
  EXPECT_THAT(keeper.status()->originated, ElementsAre(low, high));
  EXPECT_EQ(keeper.status()->version, "8.4.4");
  EXPECT_TRUE(keeper.status()->sessions.at(0).is_established);
  keeper.judge({"no living member of firewall"});
  ASSERT_TRUE(until([&] { return state().empty(); }));
  look();
  EXPECT_THAT(keeper.status()->why_not, ElementsAre("no living member of firewall"));
  EXPECT_THAT(changes, ElementsAre(true, false));
}

TEST_F(KeeperTest, LeavesWhatItFindsUntilItKnows) {
  folder.write("state", halves);
  follow();
  look();
  EXPECT_EQ(state(), halves);
  EXPECT_TRUE(keeper.status()->is_wanted);
  keeper.judge({});
  look();
  EXPECT_EQ(state(), halves);
  EXPECT_THAT(changes, IsEmpty());
}

TEST_F(KeeperTest, TakesAwayWhatIsNotToBeThere) {
  folder.write("state", "0.0.0.0/0\n0.0.0.0/1\n203.0.113.0/24\n");
  follow();
  keeper.judge({});
  ASSERT_TRUE(until([&] { return state() == "0.0.0.0/1\n203.0.113.0/24\n128.0.0.0/1\n"; }))
      << "what is not ours stays\n"
      << state();
}

TEST_F(KeeperTest, OneHalfIsTakenBack) {
  folder.write("refused", "128.0.0.0/1");
  follow();
  keeper.judge({});
  ASSERT_TRUE(until([&] { return keeper.status()->failure.has_value(); }));
  EXPECT_EQ(state(), "");
  EXPECT_THAT(keeper.status()->failure->sentence, HasSubstr("FRR refused a command: \"% Refused\""));
  EXPECT_THAT(changes, IsEmpty());
}

// What could not be taken back at once is taken back as soon as it can, and not only when the next attempt is due.
TEST_F(KeeperTest, OneHalfIsTakenBackAsSoonAsFrrLets) {
  folder.write("refused", "128.0.0.0/1");
  folder.write("stuck", "");
  follow();
  keeper.judge({});
  ASSERT_TRUE(until([&] { return keeper.status()->failure.has_value() && state() == "0.0.0.0/1\n"; }));
  forget("stuck");
  run_for(5s);
  EXPECT_EQ(state(), "");
  EXPECT_THAT(keeper.status()->failure->sentence, HasSubstr("% Refused")) << "that is why";
}

// Each attempt may show a half to the peers for a moment.
TEST_F(KeeperTest, ARefusalIsNotTriedAgainByWhoeverLooks) {
  folder.write("refused", "128.0.0.0/1");
  follow();
  keeper.judge({});
  ASSERT_TRUE(until([&] { return keeper.status()->failure.has_value() && state().empty(); }));
  const auto before = orders();
  for (int i = 0; i != 3; ++i) {
    look();
    EXPECT_THAT(keeper.status()->failure->sentence, HasSubstr("% Refused")) << "it stands";
  }
  EXPECT_EQ(orders(), before);
  keeper.drain(true);
  look();
  EXPECT_FALSE(keeper.status()->failure) << "nothing is to be announced any more";
}

TEST_F(KeeperTest, OtherPrefixesAreTriedAtOnceAfterARefusal) {
  folder.write("refused", "128.0.0.0/1");
  follow();
  keeper.judge({});
  ASSERT_TRUE(until([&] { return keeper.status()->failure.has_value() && state().empty(); }));
  follow({base::Prefix{0, 0}});
  ASSERT_TRUE(until([&] { return state() == "0.0.0.0/0\n"; }));
  look();
  EXPECT_FALSE(keeper.status()->failure);
}

// An order without an error is not yet obeyed.
TEST_F(KeeperTest, WhatFrrDoesNotKeepIsNoSuccess) {
  folder.write("deaf", "");
  follow();
  keeper.judge({});
  ASSERT_TRUE(until([&] { return keeper.status()->failure.has_value(); }));
  EXPECT_EQ(keeper.status()->failure->sentence,
            "FRR was told to originate 0.0.0.0/1, 128.0.0.0/1, and originates nothing");
  run_for(2s);
  EXPECT_EQ(orders(), 4) << "two orders for two prefixes: somebody else might have interfered";
  EXPECT_EQ(keeper.status()->counts.announced, 0U);
  EXPECT_THAT(changes, IsEmpty());
}

TEST_F(KeeperTest, AWithdrawalThatFrrDoesNotKeepIsNoSuccess) {
  follow();
  keeper.judge({});
  ASSERT_TRUE(until([&] { return state() == halves; }));
  look();
  folder.write("deaf", "");
  keeper.drain(true);
  look();
  ASSERT_TRUE(keeper.status()->failure);
  EXPECT_EQ(keeper.status()->failure->sentence,
            "FRR was told to originate nothing, and originates 0.0.0.0/1, 128.0.0.0/1");
  EXPECT_THAT(changes, ElementsAre(true));
  forget("deaf");
  ASSERT_TRUE(until([&] { return state().empty(); }));
  look();
  EXPECT_THAT(changes, ElementsAre(true, false));
}

// The loop has other things to do.
TEST_F(KeeperTest, WaitsWithoutTurningWhileFrrHangs) {
  folder.write("hangs", "");
  bgp.advertising.advertise_after = 1h;
  follow();
  run_for(200ms);
  keeper.judge({});
  io.restart();
  EXPECT_LT(io.run_for(500ms), 50U);
}

TEST_F(KeeperTest, WhoeverLooksMeanwhileKeepsNobodyWaiting) {
  follow();
  keeper.judge({});
  bool has_looked = false;
  keeper.look([&] { has_looked = true; });
  std::function<void()> again = [&] { keeper.look([&] { again(); }); };
  again();
  keeper.look([&] { again(); });
  for (int i = 0; i != 500 && !has_looked; ++i) {
    run_for(10ms);
    keeper.look([] {});
  }
  EXPECT_TRUE(has_looked);
  again = [] {};
}

TEST_F(KeeperTest, APrefixLessIsNoWithdrawal) {
  constexpr base::Prefix third{203U << 24 | 113U << 8, 24};
  follow({low, high, third});
  keeper.judge({});
  ASSERT_TRUE(until([&] { return state() == "0.0.0.0/1\n128.0.0.0/1\n203.0.113.0/24\n"; }));
  look();
  follow({low, high});
  ASSERT_TRUE(until([&] { return state() == halves; }));
  look();
  EXPECT_THAT(changes, ElementsAre(true, true));
  EXPECT_EQ(keeper.status()->counts.withdrawn, 0U);
}

TEST_F(KeeperTest, LeavesNothingBehindEvenIfFrrDoesNotAnswerThen) {
  follow();
  keeper.judge({});
  ASSERT_TRUE(until([&] { return state() == halves; }));
  folder.write("stuck", "");
  keeper.follow(std::nullopt, {});
  run_for(500ms);
  EXPECT_EQ(state(), halves);
  forget("stuck");
  EXPECT_TRUE(until([&] { return state().empty(); }));
}

TEST_F(KeeperTest, WhatItLeftAndFollowsAgainStays) {
  follow();
  keeper.judge({});
  ASSERT_TRUE(until([&] { return state() == halves; }));
  folder.write("stuck", "");
  keeper.follow(std::nullopt, {});
  run_for(500ms);
  follow();
  forget("stuck");
  look();
  run_for(3s);
  EXPECT_EQ(state(), halves);
}

TEST_F(KeeperTest, WhatPeersWereTold) {
  folder.write("sent", R"(,"pfxSnt":2)");
  folder.write("told", R"("128.0.0.0/1":{},"0.0.0.0/1":{})");
  follow();
  look();
  EXPECT_THAT(keeper.status()->sessions.at(0).advertised, ElementsAre(low, high));
  folder.write("sent", R"(,"pfxSnt":900000)");
  folder.write("told", "nobody can read all that");
  look();
  EXPECT_FALSE(keeper.status()->failure) << "a whole table is not asked for";
  EXPECT_EQ(keeper.status()->sessions.at(0).sent, 900'000U);
  EXPECT_THAT(keeper.status()->sessions.at(0).advertised, IsEmpty());
}

TEST_F(KeeperTest, PutsBackWhatSomebodyTookAway) {
  follow();
  keeper.judge({});
  ASSERT_TRUE(until([&] { return state() == halves; }));
  folder.write("state", "128.0.0.0/1\n");
  look();
  EXPECT_EQ(state(), "128.0.0.0/1\n0.0.0.0/1\n");
}

TEST_F(KeeperTest, NothingDampsADrain) {
  bgp.advertising = {.withdraw_after = 1h, .advertise_after = 0ms};
  follow();
  keeper.judge({});
  ASSERT_TRUE(until([&] { return state() == halves; }));
  keeper.drain(true);
  look();
  EXPECT_EQ(state(), "");
  keeper.drain(false);
  look();
  EXPECT_EQ(state(), halves);
}

TEST_F(KeeperTest, OtherPrefixesAfterAReload) {
  follow();
  keeper.judge({});
  ASSERT_TRUE(until([&] { return state() == halves; }));
  follow({base::Prefix{0, 0}});
  ASSERT_TRUE(until([&] { return state() == "0.0.0.0/0\n"; }));
  keeper.follow(std::nullopt, {});
  EXPECT_EQ(keeper.status(), nullptr);
  EXPECT_TRUE(until([&] { return state().empty(); }));
}

TEST_F(KeeperTest, ARouterOfAnotherAsIsNobodysButItsOwn) {
  bgp.asn = 65011;
  follow();
  keeper.judge({});
  look();
  ASSERT_TRUE(keeper.status()->failure);
  EXPECT_EQ(keeper.status()->failure->sentence,
            "FRR is AS 65010, and [bgp] says AS 65011: `sekisho bgp apply` writes its configuration");
  EXPECT_EQ(state(), "");
}

TEST_F(KeeperTest, WithoutFrrItSaysSoAndGoesOnTrying) {
  std::filesystem::remove(folder.path() / "vtysh");
  ::setenv("PATH", folder.path().c_str(), 1);
  follow();
  keeper.judge({});
  look();
  ASSERT_TRUE(keeper.status()->failure);
  EXPECT_EQ(keeper.status()->failure->kind, frr::Failure::Kind::absent);
  ::setenv("PATH", (folder.path().native() + ":" + path).c_str(), 1);
  ::chmod(folder.write("vtysh", bgpd).c_str(), 0755);
  EXPECT_TRUE(until([&] { return state() == halves; }));
}

// Its socket is there before it has read its file.
TEST_F(KeeperTest, ABgpdThatHasJustStartedIsAskedUntilItHasReadItsFile) {
  bgp.frr = fmt::format("sekisho-unit-{}", ::getpid());
  const auto socket = frr::bgpd_socket(bgp.frr);
  std::filesystem::create_directories(socket.parent_path());
  std::ofstream{socket} << "";
  folder.write("unread", std::string(12, '\n'));
  follow();
  keeper.judge({});
  EXPECT_TRUE(until([&] { return state() == halves; }));
  EXPECT_EQ(keeper.status()->counts.failed, 0U) << "that is no fault";
  std::filesystem::remove_all(socket.parent_path());
}

TEST_F(KeeperTest, ARefusalIsForgottenWithTheWish) {
  folder.write("refused", "128.0.0.0/1");
  follow();
  keeper.judge({});
  ASSERT_TRUE(until([&] { return keeper.status()->failure.has_value(); }));
  keeper.judge({"no living member of firewall"});
  look();
  forget("refused");
  keeper.judge({});
  EXPECT_TRUE(until([&] { return state() == halves; }));
}

TEST_F(KeeperTest, WithdrawNow) {
  folder.write("state", "0.0.0.0/1\n128.0.0.0/1\n198.51.100.0/24\n203.0.113.0/24\n");
  EXPECT_THAT(*originated_now("", {}), ElementsAre(low, high));
  EXPECT_THAT(*withdraw_now("", {base::Prefix{203U << 24 | 113U << 8, 24}}),
              ElementsAre(low, high, base::Prefix{203U << 24 | 113U << 8, 24}));
  EXPECT_EQ(state(), "198.51.100.0/24\n");
  EXPECT_THAT(*withdraw_now("", {}), IsEmpty());
}

}  // namespace
}  // namespace sekisho::advertise
