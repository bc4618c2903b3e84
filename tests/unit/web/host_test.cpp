// SPDX-License-Identifier: BSD-3-Clause
// By which name a browser may call this appliance.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/ip/address.hpp>
#include <string>
#include <vector>

#include "control/web/host.hpp"

namespace sekisho::web {
namespace {

unsigned status_of(std::vector<std::string> hosts, const char* to = "127.0.0.1") {
  const std::vector<std::string> names{"nva1.example.net"};
  const auto checked =
      check_host({.hosts = std::move(hosts), .to = boost::asio::ip::make_address(to)}, names);
  return checked ? 200 : checked.error().status;
}

TEST(Host, ByItsAddressItsNamesAndLocalhost) {
  for (const auto* host : {"127.0.0.1", "127.0.0.1:8088", "localhost", "LocalHost:8088", "localhost:9000",
                           "nva1.example.net", "NVA1.Example.NET:8088"}) {
    EXPECT_EQ(status_of({host}), 200) << host;
  }
  EXPECT_EQ(status_of({"10.0.1.4:8088"}, "10.0.1.4"), 200);
}

TEST(Host, ByNothingElse) {
  for (const auto* host :
       {"evil.example", "evil.example:8088", "10.0.1.4", "127.0.0.1.evil.example", "localhost.evil.example",
        "nva1.example.net.evil.example", "xlocalhost", "", ":8088", "[::1]:8088", "nva1.example.net."}) {
    EXPECT_EQ(status_of({host}), 421) << host;
  }
  EXPECT_EQ(status_of({"127.0.0.1"}, "10.0.1.4"), 421) << "that it was not reached at";
}

TEST(Host, OneAndNoMore) {
  EXPECT_EQ(status_of({}), 400);
  EXPECT_EQ(status_of({"localhost", "localhost"}), 400);
}

TEST(Host, ARefusalSaysWhatHelps) {
  const auto checked = check_host({.hosts = {"evil\x1b[31m.example"}}, {});
  ASSERT_FALSE(checked);
  EXPECT_THAT(checked.error().body, testing::HasSubstr("\"hosts\" in [web]"));
  EXPECT_THAT(checked.error().body, testing::Not(testing::HasSubstr("\x1b")));
}

}  // namespace
}  // namespace sekisho::web
