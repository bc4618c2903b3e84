// SPDX-License-Identifier: BSD-3-Clause
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "common/base/prefix.hpp"
#include "control/serve/explain.hpp"
#include "dataplane/decide/member.hpp"
#include "dataplane/packet/flow_hash.hpp"
#include "tests/unit/serve/fake_backend.hpp"

namespace sekisho::serve {
namespace {

TEST(Explain, AgreesWithTheDataplane) {
  FakeBackend backend;
  backend.decision = agreeing();
  const auto result = result_of(backend, explain_request);
  EXPECT_EQ(result["verdict"], "forward");
  EXPECT_EQ(result["dataplane"]["agrees"], true) << result;
  EXPECT_EQ(result["dataplane"]["adjacency"]["address"], "10.0.2.10");
  ASSERT_EQ(backend.asked.size(), 1U);
  EXPECT_EQ(backend.asked[0].lookup().port(), "lan");
}

TEST(Explain, SaysWhereTheDataplaneDecidesOtherwise) {
  FakeBackend backend;
  const auto differences = [&](const std::function<void(ipc::Decision&)>& change) {
    backend.decision = agreeing();
    change(backend.decision);
    std::vector<std::string> what;
    const auto result = result_of(backend, explain_request);
    for (const auto& difference : result["dataplane"]["differences"]) {
      what.push_back(difference["what"].get<std::string>());
    }
    return what;
  };
  EXPECT_THAT(differences([](ipc::Decision& d) { d.set_next_hop("vnet"); }),
              testing::ElementsAre("next hop"));
  EXPECT_THAT(differences([](ipc::Decision& d) { d.mutable_prefix()->set_length(0); }),
              testing::ElementsAre("prefix"));
  EXPECT_THAT(differences([](ipc::Decision& d) { d.set_zone("other"); }), testing::ElementsAre("zone"));
  EXPECT_THAT(differences([](ipc::Decision& d) { d.set_drop_reason("next_hop_down"); }),
              testing::ElementsAre("verdict"));
  EXPECT_THAT(differences([](ipc::Decision& d) {
                d.clear_next_hop();
                d.clear_prefix();
                d.set_drop_reason("no_route");
              }),
              testing::ElementsAre("prefix", "next hop", "verdict"));
}

TEST(Explain, TheKernelsDeadMembersDropIt) {
  FakeBackend backend;
  backend.mirror_.links[2].up = false;
  backend.view_.members = reach::members(backend.policy_->config, backend.mirror_);
  backend.connected = false;
  const auto result = result_of(backend, explain_request);
  EXPECT_EQ(result["configured"]["drop_reason"], "next_hop_down");
  EXPECT_EQ(result["dataplane"], nullptr);
}

TEST(Explain, WithoutADataplaneNothingIsForwarded) {
  FakeBackend backend;
  backend.connected = false;
  const auto result = result_of(backend, explain_request);
  EXPECT_EQ(result["verdict"], "drop");
  EXPECT_EQ(result["sentence"], "the dataplane is not running");
  EXPECT_EQ(result["configured"]["verdict"], "forward");
  EXPECT_EQ(result["fault"], true);
  auto own = explain_request;
  own["destination"] = "10.0.1.4";  // steering passes it to the kernel
  EXPECT_EQ(result_of(backend, own)["verdict"], "host");
}

TEST(Explain, ADataplaneThatHangsIsNoVerdict) {
  FakeBackend backend;
  backend.broken = "no answer within 5 s";
  const auto result = result_of(backend, explain_request);
  EXPECT_EQ(result["verdict"], "unknown");
  EXPECT_THAT(result["sentence"].get<std::string>(), testing::HasSubstr("no answer within 5 s"));
  EXPECT_EQ(result["fault"], true);
}

TEST(Explain, EndsWithWhatTheDataplaneDoes) {
  FakeBackend backend;
  backend.decision = agreeing();
  EXPECT_EQ(result_of(backend, explain_request)["fault"], false);
  backend.decision.set_drop_reason("no_route");
  auto result = result_of(backend, explain_request);
  EXPECT_EQ(result["verdict"], "drop");
  EXPECT_EQ(result["drop_reason"], "no_route");
  EXPECT_EQ(result["sentence"], "the dataplane drops it, although the configuration says forward");
  EXPECT_EQ(result["fault"], true);
  backend.decision = agreeing();
  backend.decision.set_next_hop("vnet");
  result = result_of(backend, explain_request);
  EXPECT_EQ(result["sentence"],
            "the dataplane forwards it by next hop vnet, although the configuration says forward by next hop "
            "firewall");
  backend.decision = agreeing();
  backend.known.failed_ports = {{"lan", "no such device"}};
  result = result_of(backend, explain_request);
  EXPECT_EQ(result["verdict"], "drop");
  EXPECT_EQ(result["sentence"], "port lan does not run: no such device");
}

TEST(Explain, OwnAddressesBelongToTheHost) {
  FakeBackend backend;
  auto request = explain_request;
  request["destination"] = "10.0.1.4";
  EXPECT_EQ(result_of(backend, request)["verdict"], "host");
  request["destination"] = "10.0.2.4";  // of the other port: never the firewall's
  const auto other = result_of(backend, request);
  EXPECT_EQ(other["configured"]["verdict"], "host");
  EXPECT_EQ(other["next_hop"], "host");
  EXPECT_EQ(other["candidates"][0]["prefix"], "10.0.2.4/32");
  EXPECT_EQ(other["candidates"][1]["wins"], false);
  backend.mirror_.links.erase(3);
  EXPECT_EQ(result_of(backend, request)["configured"]["drop_reason"], "no_host_companion");
  request["source"] = "8.8.8.8";  // by the other port it has to be somebody's source first
  EXPECT_EQ(result_of(backend, request)["configured"]["drop_reason"], "spoofed_source");
}

TEST(Explain, NamesTheMemberThatTheFlowHashesTo) {
  FakeBackend backend;
  backend.decision = agreeing();
  const auto firewall =
      std::ranges::find(backend.policy_->config.next_hops, "firewall", &config::NextHop::name);
  std::vector<std::uint32_t> living;
  std::vector<decide::Member> members;
  decide::MemberMask alive = 0;
  for (const auto member : firewall->members) {
    const auto& known = backend.view_.members;
    if (std::ranges::find(known, member, &reach::Member::address)->alive) {
      living.push_back(member);
      alive |= decide::MemberMask{1} << members.size();
    }
    members.push_back({member});
  }
  const decide::Preferences preferences(members);
  ASSERT_FALSE(living.empty());
  auto request = explain_request;
  request["protocol"] = "tcp";
  request["destination_port"] = 443;
  // The dataplane is asked about a ping; what it says of the member is compared for one.
  const auto ping = result_of(backend, explain_request)["member"].get<std::string>();
  for (const auto member : living) {
    backend.decision.mutable_adjacency()->mutable_key()->set_address(member);
    EXPECT_EQ(result_of(backend, explain_request)["dataplane"]["agrees"],
              base::address_to_string(member) == ping);
  }
  std::set<std::string> offline;
  for (unsigned port = 1; port < 40; ++port) {
    request["source_port"] = port;
    const packet::Flow flow{.source = address("172.16.0.1"),
                            .destination = address("1.1.1.1"),
                            .protocol = packet::Protocol::tcp,
                            .source_port = static_cast<std::uint16_t>(port),
                            .destination_port = 443};
    const auto chosen =
        members[preferences.choose(preferences.bucket_of(packet::flow_hash(flow)), alive)].address;
    const auto said = result_of(backend, request);
    EXPECT_EQ(said["member"], base::address_to_string(chosen));
    EXPECT_EQ(said["dataplane"]["agrees"], true) << said;
    offline.insert(explain(*backend.policy_,
                           {.source = flow.source,
                            .destination = flow.destination,
                            .port = "lan",
                            .protocol = flow.protocol,
                            .source_port = flow.source_port,
                            .destination_port = flow.destination_port},
                           {})["member"]);
  }
  EXPECT_EQ(offline.size(), firewall->members.size()) << "every member has flows";
  request["protocol"] = "icmp";
  EXPECT_EQ(error_of(backend, request), "\"source_port\" requires protocol tcp or udp");
  request["protocol"] = "256";
  EXPECT_EQ(error_of(backend, request), "\"256\" is neither tcp, udp, icmp nor a number up to 255");
  request["protocol"] = "tcp";
  request["source_port"] = 65536;
  EXPECT_EQ(error_of(backend, request), "\"source_port\" is a number up to 65535");
}

TEST(Explain, AnExceptionLeavesByTheExitOrSaysWhyNot) {
  FakeBackend backend;
  backend.decision = agreeing();
  backend.decision.clear_adjacency();
  backend.decision.set_next_hop("internet");
  backend.decision.mutable_prefix()->set_address(address("9.0.0.0"));
  backend.decision.mutable_prefix()->set_length(8);
  auto request = explain_request;
  request["destination"] = "9.9.9.9";
  const auto ready = result_of(backend, request);
  EXPECT_EQ(ready["verdict"], "exit");
  EXPECT_EQ(ready["next_hop"], "Internet");
  EXPECT_EQ(ready["sentence"], "leaves by sekisho0, masqueraded as 10.0.2.4 out of egress0");
  EXPECT_EQ(ready["dataplane"]["agrees"], true) << ready;

  backend.view_.exit->ready = false;
  backend.view_.exit->why = "gateway 10.0.2.1 is FAILED";
  backend.decision.set_drop_reason("next_hop_down");
  const auto down = result_of(backend, request);
  EXPECT_EQ(down["drop_reason"], "next_hop_down");
  EXPECT_EQ(down["sentence"], "next hop Internet is down: gateway 10.0.2.1 is FAILED");
  EXPECT_EQ(down["dataplane"]["agrees"], true) << down;

  const auto offline = explain(*backend.policy_, {address("172.16.0.1"), address("9.9.9.9"), "lan"}, {});
  EXPECT_EQ(offline["sentence"], "leaves by sekisho0, masqueraded, out of port egress");
}

TEST(Explain, RefusesWhatItCannotRead) {
  FakeBackend backend;
  for (const auto& [key, value] : std::vector<std::pair<std::string, Json>>{{"source", "x"},
                                                                            {"source", 1},
                                                                            {"destination", nullptr},
                                                                            {"port", "wan"},
                                                                            {"port", Json::array()}}) {
    auto request = explain_request;
    request[key] = value;
    EXPECT_NE(error_of(backend, request), "");
  }
}

}  // namespace
}  // namespace sekisho::serve
