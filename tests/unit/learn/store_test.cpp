// SPDX-License-Identifier: BSD-3-Clause
#include "control/learn/store.hpp"

#include <gtest/gtest.h>

#include <string>

namespace sekisho::learn {
namespace {

using base::Prefix;
using route::LearnedWay;
using Lines = std::vector<std::string>;

constexpr Prefix a{10U << 24, 8};
constexpr Prefix b{11U << 24, 8};
constexpr Prefix c{12U << 24, 8};

auto to(std::uint32_t gateway, int link = 2) -> LearnedWay {
  return {.hops = {{gateway, link}}};
}

auto message(Prefix prefix, std::uint32_t gateway, std::uint32_t metric = 20) -> RouteMessage {
  return {.table = 100, .prefix = prefix, .metric = metric, .protocol = 186, .way = to(gateway)};
}

class Storing : public testing::Test {
 protected:
  void add(const RouteMessage& route) { store_.apply(route, false, ++now_); }
  void replace(RouteMessage route) {
    route.replaces = true;
    add(route);
  }
  void list(const RouteMessage& route) { store_.apply(route, true, ++now_); }
  void remove(RouteMessage route) {
    route.gone = true;
    add(route);
  }
  // "10.0.0.0/8 via 1"
  auto lines() -> Lines {
    Lines result;
    const auto learned = store_.learned();
    for (const auto& route : learned->routes) {
      const auto& way = learned->ways[route.way];
      auto line = base::to_string(route.prefix);
      for (const auto& hop : way.hops)
        line +=
            " via " + std::to_string(hop.gateway) + (hop.weight == 1 ? "" : "*" + std::to_string(hop.weight));
      line += way.kind == LearnedWay::Kind::drop ? " drop" : "";
      result.push_back(line + way.why + (route.held ? " held" : ""));
    }
    return result;
  }

  Store store_{{.max_prefixes = 4}};
  std::uint64_t now_ = 0;
};

TEST_F(Storing, OnlyTheTableAndItsProtocols) {
  add(message(a, 1));
  auto other = message(b, 1);
  other.table = 254;
  add(other);
  other = message(c, 1);
  other.protocol = 4;
  add(other);
  EXPECT_EQ(lines(), Lines{"10.0.0.0/8 via 1"});
  EXPECT_EQ(store_.in_kernel(), 1U);
}

TEST_F(Storing, WhatAnotherProtocolReplacesIsGone) {
  add(message(a, 1));
  auto other = message(a, 2);
  other.protocol = 4;
  replace(other);
  EXPECT_EQ(store_.vanished(), 1U);
}

TEST_F(Storing, TheSmallestMetricCounts) {
  add(message(a, 1, 20));
  add(message(a, 2, 10));
  add(message(a, 3, 30));
  EXPECT_EQ(lines(), Lines{"10.0.0.0/8 via 2"});
  remove(message(a, 2, 10));
  EXPECT_EQ(lines(), Lines{"10.0.0.0/8 via 1"});
  remove(message(a, 1, 20));
  EXPECT_EQ(lines(), Lines{"10.0.0.0/8 via 3"});
  EXPECT_EQ(store_.vanished(), 0U);
  remove(message(a, 3, 30));
  EXPECT_EQ(store_.vanished(), 1U);
}

TEST_F(Storing, WhatVanishedStaysUntilItIsForgottenOrHeld) {
  add(message(a, 1));
  add(message(b, 1));
  remove(message(a, 1));
  EXPECT_EQ(lines(), (Lines{"10.0.0.0/8 via 1", "11.0.0.0/8 via 1"}));
  store_.forget_vanished();
  EXPECT_EQ(lines(), Lines{"11.0.0.0/8 via 1"});
  remove(message(b, 1));
  store_.hold_vanished();
  EXPECT_EQ(lines(), Lines{"11.0.0.0/8 via 1 held"});
  EXPECT_EQ(store_.held(), 1U);
  add(message(b, 2));
  EXPECT_EQ(lines(), Lines{"11.0.0.0/8 via 2"});
  EXPECT_EQ(store_.held(), 0U);
  remove(message(b, 2));
  store_.hold_vanished();
  store_.forget_held();
  EXPECT_EQ(lines(), Lines{});
}

TEST_F(Storing, WhatAListingDoesNotNameHasVanished) {
  add(message(a, 1));
  add(message(b, 1));
  store_.begin_listing();
  list(message(b, 1));
  list(message(c, 1));
  store_.end_listing();
  EXPECT_EQ(store_.vanished(), 1U);
  store_.forget_vanished();
  EXPECT_EQ(lines(), (Lines{"11.0.0.0/8 via 1", "12.0.0.0/8 via 1"}));
}

TEST_F(Storing, WhatIsSaidDuringAListingIsYoungerThanIt) {
  add(message(a, 1));
  add(message(b, 1));
  store_.begin_listing();
  remove(message(a, 1));
  replace(message(b, 2));
  add(message(c, 3));
  list(message(a, 1));
  list(message(b, 1));
  store_.end_listing();
  EXPECT_EQ(store_.vanished(), 1U);
  store_.forget_vanished();
  EXPECT_EQ(lines(), (Lines{"11.0.0.0/8 via 2", "12.0.0.0/8 via 3"}));
}

TEST_F(Storing, WhatIsSaidOfOneMetricDuringAListingIsNotSaidOfAnother) {
  store_.begin_listing();
  list(message(a, 1, 20));
  list(message(a, 2, 30));
  remove(message(a, 2, 30));
  list(message(a, 1, 20));
  store_.end_listing();
  EXPECT_EQ(store_.vanished(), 0U);
  store_.begin_listing();
  remove(message(a, 2, 30));  // which was not there any more
  list(message(a, 1, 20));
  store_.end_listing();
  EXPECT_EQ(store_.vanished(), 0U);
  EXPECT_EQ(lines(), Lines{"10.0.0.0/8 via 1"});
}

TEST_F(Storing, WhatIsSaidOfAnotherProtocolDuringAListingIsNotSaidOfOurs) {
  auto other = message(a, 2);
  other.protocol = 4;
  store_.begin_listing();
  remove(other);
  list(message(a, 1));
  store_.end_listing();
  EXPECT_EQ(lines(), Lines{"10.0.0.0/8 via 1"});
  EXPECT_FALSE(store_.needs_listing());
}

// It may be older than the message, or a second one of this metric, of which the first went.
TEST_F(Storing, WhatIsListedAfterItWasSaidToBeGoneIsListedAgain) {
  store_.begin_listing();
  remove(message(a, 1));
  list(message(a, 2));
  store_.end_listing();
  EXPECT_EQ(lines(), Lines{});
  EXPECT_TRUE(store_.needs_listing());
  store_.begin_listing();
  list(message(a, 2));
  store_.end_listing();
  EXPECT_EQ(lines(), Lines{"10.0.0.0/8 via 2"});
  EXPECT_FALSE(store_.needs_listing());
}

TEST_F(Storing, WhatIsThereStaysAndTheExcessIsCounted) {
  for (std::uint32_t i = 0; i < 100; ++i)
    add(message({i << 24, 8}, 1));
  EXPECT_EQ(store_.size(), 4U);
  EXPECT_EQ(store_.excess(), 96U);
  EXPECT_EQ(lines().front(), "0.0.0.0/8 via 1");
  EXPECT_FALSE(store_.needs_listing());
  remove(message({2U << 24, 8}, 1));
  store_.forget_vanished();
  EXPECT_TRUE(store_.needs_listing()) << "there is room again";
  store_.begin_listing();
  for (std::uint32_t i = 3; i < 100; ++i)
    list(message({i << 24, 8}, 1));
  list(message({0, 8}, 1));
  list(message({1U << 24, 8}, 1));
  store_.end_listing();
  EXPECT_EQ(lines(), (Lines{"0.0.0.0/8 via 1", "1.0.0.0/8 via 1", "3.0.0.0/8 via 1", "4.0.0.0/8 via 1"}));
  EXPECT_EQ(store_.excess(), 95U);
}

TEST_F(Storing, TwoOfOneMetricAreListedAgain) {
  add(message(a, 1));
  add(message(a, 2));  // before or behind it?
  EXPECT_TRUE(store_.needs_listing());
  store_.begin_listing();
  list(message(a, 2));
  list(message(a, 1));
  store_.end_listing();
  EXPECT_EQ(lines(), Lines{"10.0.0.0/8 via 2"});
  remove(message(a, 2));
  EXPECT_TRUE(store_.needs_listing());
  EXPECT_EQ(store_.vanished(), 0U);
  store_.begin_listing();
  list(message(a, 1));
  store_.end_listing();
  EXPECT_EQ(lines(), Lines{"10.0.0.0/8 via 1"});
}

TEST_F(Storing, NextHopObjectsAreResolved) {
  auto route = message(a, 0);
  route.way = {};
  route.object = 7;
  add(route);
  EXPECT_EQ(lines(), Lines{"10.0.0.0/8next-hop object 7 is not known"});
  store_.apply(ObjectMessage{.id = 1, .way = to(1)});
  store_.apply(ObjectMessage{.id = 2, .way = to(2)});
  store_.apply(ObjectMessage{.id = 7, .group = {{1, 1}, {2, 3}}});
  EXPECT_TRUE(store_.is_dirty());
  EXPECT_EQ(lines(), Lines{"10.0.0.0/8 via 1 via 2*3"});
  store_.apply(ObjectMessage{.id = 2, .way = {.kind = LearnedWay::Kind::unusable, .why = "!"}});
  EXPECT_EQ(lines(), Lines{"10.0.0.0/8!"});
  store_.apply(ObjectMessage{.id = 7, .way = {.kind = LearnedWay::Kind::drop}});
  EXPECT_EQ(lines(), Lines{"10.0.0.0/8 drop"});
  store_.apply(ObjectMessage{.gone = true, .id = 7});
  EXPECT_TRUE(store_.needs_listing()) << "the kernel does not say that the routes are gone, too";
}

TEST_F(Storing, WhatIsHeldKeepsItsWayWhateverItsObjectBecomes) {
  auto route = message(a, 0);
  route.way = {};
  route.object = 7;
  store_.apply(ObjectMessage{.id = 7, .way = to(1)});
  add(route);
  store_.apply(ObjectMessage{.gone = true, .id = 7});
  store_.begin_listing();
  store_.end_listing();
  store_.hold_vanished();
  store_.apply(ObjectMessage{.id = 7, .way = to(9)});
  EXPECT_EQ(lines(), Lines{"10.0.0.0/8 via 1 held"});
  add(route);
  EXPECT_EQ(lines(), Lines{"10.0.0.0/8 via 9"});
}

TEST_F(Storing, WaysThatNoRouteLeadsAreForgotten) {
  add(message(b, 1, 20));
  add(message(b, 2, 30));
  add(message(c, 3));
  remove(message(c, 3));
  store_.hold_vanished();
  for (std::uint32_t i = 10; i < 10'000; ++i) {
    replace(message(a, i));
    ASSERT_LT(store_.learned()->ways.size(), 2000U);
  }
  EXPECT_EQ(lines(), (Lines{"10.0.0.0/8 via 9999", "11.0.0.0/8 via 1", "12.0.0.0/8 via 3 held"}));
  remove(message(b, 1, 20));
  EXPECT_EQ(lines()[1], "11.0.0.0/8 via 2");
}

TEST_F(Storing, ARouteThatFoundNoRoomForItsWayIsListedAgain) {
  for (std::uint32_t i = 0; i < 70'000; ++i)
    replace(message(a, i));
  EXPECT_EQ(lines(), Lines{"10.0.0.0/8there are more than 65536 ways that routes lead"});
  EXPECT_TRUE(store_.needs_listing());
  store_.begin_listing();
  list(message(a, 69'999));
  store_.end_listing();
  EXPECT_EQ(lines(), Lines{"10.0.0.0/8 via 69999"});
  EXPECT_FALSE(store_.needs_listing());
}

TEST_F(Storing, WhatDidNotChangeIsTakenFromTheLastTime) {
  add(message(a, 1));
  add(message(c, 1));
  EXPECT_EQ(lines().size(), 2U);
  EXPECT_FALSE(store_.is_dirty());
  add(message(b, 2));
  replace(message(c, 3));
  EXPECT_EQ(lines(), (Lines{"10.0.0.0/8 via 1", "11.0.0.0/8 via 2", "12.0.0.0/8 via 3"}));
  add(message(b, 2));  // says nothing new
  EXPECT_FALSE(store_.is_dirty());
}

}  // namespace
}  // namespace sekisho::learn
