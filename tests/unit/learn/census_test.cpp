// SPDX-License-Identifier: BSD-3-Clause
#include "control/learn/census.hpp"

#include <gtest/gtest.h>

namespace sekisho::learn {
namespace {

using namespace std::chrono_literals;

// As FRR 8.4 prints it, shortened.
constexpr auto summary = R"json({"routerId":"10.0.1.4","ribCount":4,"peers":{
  "10.0.1.1":{"remoteAs":65515,"pfxRcd":10000,"state":"Established","peerUptimeMsec":12000},
  "10.0.1.2":{"remoteAs":65515,"pfxRcd":9000,"state":"Established","peerUptimeMsec":11000},
  "10.0.1.3":{"remoteAs":65515,"pfxRcd":0,"state":"Idle (Admin)"}}})json";

TEST(Sessions, AreThoseThatAreNotShutDown) {
  EXPECT_EQ(parse_sessions(nlohmann::json::parse(summary)),
            (BgpSessions{.peers = 2, .established = 2, .prefixes = 10'000, .youngest = 11s}));
  for (const auto* text : {"{}", "[]", "1", R"({"peers":1})", R"({"peers":{"10.0.1.1":1}})",
                           R"({"peers":{"a":{}}})", R"({"warning":"Default BGP instance not found"})"})
    EXPECT_EQ(parse_sessions(nlohmann::json::parse(text)), std::nullopt) << text;
}

class Counting : public testing::Test {
 protected:
  Census census_;
  BgpSessions all_{.peers = 2, .established = 2, .prefixes = 100, .youngest = 12s};
  const Census::Time start_{std::chrono::hours{1}};
};

TEST_F(Counting, CaughtUpIsWhatStandsStill) {
  EXPECT_FALSE(census_.is_caught_up(start_));
  census_.hear(all_, 100, start_);
  EXPECT_FALSE(census_.is_caught_up(start_ + 2s));
  EXPECT_TRUE(census_.is_caught_up(start_ + 3s));
  census_.hear(all_, 101, start_ + 3s);
  EXPECT_FALSE(census_.is_caught_up(start_ + 5s)) << "another was heard";
  census_.hear(all_, 101, start_ + 6s);
  EXPECT_TRUE(census_.is_caught_up(start_ + 6s));
  census_.hear_nothing();
  EXPECT_FALSE(census_.is_caught_up(start_ + 10s));
}

TEST_F(Counting, ASessionThatIsYoungOrDownHasNotToldAll) {
  auto young = all_;
  young.youngest = 9s;
  census_.hear(young, 100, start_);
  EXPECT_FALSE(census_.is_caught_up(start_ + 4s));
  auto down = all_;
  down.established = 1;
  census_.hear(down, 100, start_);
  EXPECT_FALSE(census_.is_caught_up(start_ + 4s));
  census_.hear({}, 0, start_ + 5s);
  EXPECT_FALSE(census_.is_caught_up(start_ + 9s)) << "without peers nobody has told anything";
}

TEST_F(Counting, LessThanBgpHasIsSaid) {
  census_.hear(all_, 10, start_);
  EXPECT_EQ(census_.problem(100, start_ + 9s), std::nullopt);
  EXPECT_EQ(census_.problem(100, start_ + 10s),
            "BGP has 100 routes of a peer, and the kernel's table 100 has 10: not all of them arrive there "
            "(`show ip "
            "route table 100` in vtysh says what zebra has)");
  EXPECT_FALSE(census_.is_caught_up(start_ + 10s));
  census_.hear(all_, 0, start_ + 10s);
  EXPECT_EQ(census_.problem(100, start_ + 20s),
            "BGP has 100 routes of a peer, and the kernel's table 100 has none: does a route-map of the "
            "peers say `set "
            "table 100`?");
  census_.hear(all_, 120, start_ + 20s);
  EXPECT_EQ(census_.problem(100, start_ + 40s), std::nullopt);
}

}  // namespace
}  // namespace sekisho::learn
