// SPDX-License-Identifier: BSD-3-Clause
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "control/serve/request.hpp"
#include "tests/unit/serve/fake_backend.hpp"

namespace sekisho::serve {
namespace {

TEST(Lookup, AsksTheDataplaneWithASourceOfTheZone) {
  FakeBackend backend;
  backend.decide = [](const ipc::Lookup& lookup) {
    ipc::Decision decision;
    decision.set_zone(lookup.source() >> 20 == 0xac1 ? "onprem" : "internet");
    if (lookup.destination() != address("9.9.9.9")) {
      decision.mutable_prefix()->set_length(1);
      decision.set_next_hop("firewall");
    }
    return decision;
  };
  for (const auto* zone : {"onprem", "internet"}) {
    const auto result = result_of(
        backend, {{"command", "lookup"}, {"zone", zone}, {"addresses", Json::array({"1.1.1.1", "9.9.9.9"})}});
    EXPECT_EQ(result[0], (Json{{"address", "1.1.1.1"}, {"prefix", "0.0.0.0/1"}, {"next_hop", "firewall"}}));
    EXPECT_EQ(result[1]["prefix"], nullptr);
  }
  EXPECT_EQ(
      error_of(backend, {{"command", "lookup"}, {"zone", "x"}, {"addresses", Json::array({"1.1.1.1"})}}),
      "there is no zone \"x\"");
  EXPECT_NE(
      error_of(backend, {{"command", "lookup"}, {"zone", "onprem"}, {"addresses", Json::array({"1.1.1"})}}),
      "");
  EXPECT_NE(error_of(backend, {{"command", "lookup"}, {"zone", "onprem"}, {"addresses", Json::array({1})}}),
            "");
  EXPECT_NE(error_of(backend, {{"command", "lookup"}, {"zone", "onprem"}, {"addresses", Json::array()}}), "");
  backend.broken = "gone";
  EXPECT_EQ(error_of(backend, {{"command", "lookup"},
                               {"zone", "onprem"},
                               {"addresses", Json::array({"1.1.1.1", "2.2.2.2"})}}),
            "gone");
}

// The dataplane decides before it knows a zone, and so do the command without a daemon and `explain`.
TEST(Lookup, SaysWhatIsDroppedBeforeAnyTable) {
  FakeBackend backend;
  backend.decide = [](const ipc::Lookup& lookup) {
    ipc::Decision decision;
    if (lookup.destination() == address("1.1.1.1")) {
      decision.set_zone("onprem");
      decision.set_next_hop("firewall");
    }
    return decision;
  };
  const auto result = result_of(backend, {{"command", "lookup"},
                                          {"zone", "onprem"},
                                          {"addresses", Json::array({"127.0.0.1", "169.254.1.1", "240.0.0.1",
                                                                     "0.0.0.1", "224.0.0.5", "1.1.1.1"})}});
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(result[i]["before_tables"], "martian_destination");
    EXPECT_EQ(result[i]["prefix"], nullptr);
    EXPECT_EQ(result[i]["next_hop"], nullptr);
  }
  EXPECT_EQ(result[4]["before_tables"], "multicast");
  EXPECT_FALSE(result[5].contains("before_tables"));
}

}  // namespace
}  // namespace sekisho::serve
