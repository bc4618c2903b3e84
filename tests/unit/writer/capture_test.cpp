// SPDX-License-Identifier: BSD-3-Clause
// A capture over the dataplane's socket: what is refused, who may, and which frames come. Frames are net_ring's, which goes round.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "tests/unit/writer/server_fixture.hpp"

namespace sekisho::writer::test {
namespace {

// `len == 70`, as classic BPF: A = length; is it? then take it, else leave it.
constexpr std::uint64_t load_length = std::uint64_t{0x80} << 48;
constexpr std::uint64_t is_70 = std::uint64_t{0x15} << 48 | std::uint64_t{1} << 32 | 70;
constexpr std::uint64_t take = std::uint64_t{0x06} << 48 | 0x40000;
constexpr std::uint64_t leave = std::uint64_t{0x06} << 48;

ipc::Request capture_of(const std::vector<std::string>& ports,
                        const std::vector<std::uint64_t>& filter = {}) {
  ipc::Request request;
  request.set_id(9);
  auto& wanted = *request.mutable_capture();
  wanted.set_received(true);
  wanted.set_dropped(true);
  wanted.set_snap_length(100);
  wanted.mutable_ports()->Add(ports.begin(), ports.end());
  wanted.mutable_filter()->Add(filter.begin(), filter.end());
  return request;
}

std::string refusal(Client& client, const ipc::Request& request) {
  return client.ask(request).error().reason();
}

using CaptureTest = ServerTest;

TEST_F(CaptureTest, WhatCannotBeIsRefused) {
  Client client{path};
  EXPECT_EQ(refusal(client, capture_of({"nowhere"})), "port nowhere is not among the ports");
  auto nothing = capture_of({});
  nothing.mutable_capture()->set_received(false);
  nothing.mutable_capture()->set_dropped(false);
  EXPECT_EQ(refusal(client, nothing),
            "nothing is wanted: neither received nor sent nor dropped nor judged frames");
  auto unknown = capture_of({});
  unknown.mutable_capture()->set_judged_reason("nonsense");
  EXPECT_EQ(refusal(client, unknown), "no reason is called nonsense");
  for (const auto length : {0U, 9'217U}) {
    auto wrong = capture_of({});
    wrong.mutable_capture()->set_snap_length(length);
    EXPECT_EQ(refusal(client, wrong), "the snap length must be 1 to 9216 bytes");
  }
}

TEST_F(CaptureTest, AFilterThatIsNoProgramIsRefused) {
  Client client{path};
  constexpr std::uint64_t far_away = std::uint64_t{0x15} << 48 | std::uint64_t{200} << 40;
  for (const auto& filter :
       std::vector<std::vector<std::uint64_t>>{{load_length},                  // it does not end
                                               {load_length, far_away, take},  // it leaves itself
                                               {0xffff'0000'0000'0000},        // no such instruction
                                               std::vector<std::uint64_t>(4'096, take)}) {
    EXPECT_EQ(refusal(client, capture_of({}, filter)), "the filter is no valid BPF program") << filter.size();
  }
  EXPECT_EQ(refusal(client, capture_of({}, std::vector<std::uint64_t>(4'097, take))),
            "a filter has at most 4096 instructions");
}

TEST_F(CaptureTest, ThereIsOneAtATimeAndItEndsWithItsConnection) {
  Client second{path};
  {
    Client first{path};
    EXPECT_TRUE(first.ask(capture_of({})).has_captured());
    EXPECT_EQ(refusal(second, capture_of({})), "process " + std::to_string(getpid()) + " captures already");
  }
  // The server hears of the end some time.
  while (!second.ask(capture_of({})).has_captured()) {
  }
}

// The test's thread is the worker: each port has 64 frames for it.
class RunningCapture : public CaptureTest {
 protected:
  RunningCapture() {
    Client control{path};
    control.begin(true);
    control.change(parse(R"(ports { name: "lan" device: "net_null0,size=60,copy=1" })"));
    control.change(parse(R"(ports { name: "egress" device: "net_null1,size=70,copy=1" })"));
    EXPECT_TRUE(control.commit().has_committed());
  }

  // Until so many have come.
  static std::vector<ipc::CapturedPacket> receive(Client& client, std::size_t count) {
    std::vector<ipc::CapturedPacket> packets;
    while (packets.size() < count) {
      const auto captured = client.receive().reply().captured();
      for (const auto& packet : captured.packets()) {
        packets.push_back(packet);
        ports.insert(captured.port_names(static_cast<int>(packet.port())));
      }
    }
    return packets;
  }

  static inline std::set<std::string> ports;
};

TEST_F(RunningCapture, GivesWhatCameAndWhatWasDroppedInTheOrderOfTime) {
  Client client{path};
  ASSERT_TRUE(client.ask(capture_of({})).has_captured());
  ports.clear();
  ASSERT_EQ(worker.poll_once(), 128U);
  const auto packets = receive(client, 256);
  EXPECT_EQ(packets.size(), 256U);
  EXPECT_EQ(ports, (std::set<std::string>{"lan", "egress"}));
  EXPECT_TRUE(std::ranges::is_sorted(packets, {}, &ipc::CapturedPacket::unix_ns));
  for (const auto& packet : packets) {
    EXPECT_EQ(packet.frame(), std::string(packet.size(), '\0'));
    EXPECT_EQ(packet.direction() == ipc::CapturedPacket::DROPPED, !packet.reason().empty());
  }
  EXPECT_EQ(std::ranges::count(packets, ipc::CapturedPacket::DROPPED, &ipc::CapturedPacket::direction), 128);
}

TEST_F(RunningCapture, OfOnePort) {
  Client client{path};
  ASSERT_TRUE(client.ask(capture_of({"egress"})).has_captured());
  ports.clear();
  (void)worker.poll_once();
  for (const auto& packet : receive(client, 128)) {
    EXPECT_EQ(packet.size(), 70U);
  }
  EXPECT_EQ(ports, (std::set<std::string>{"egress"}));
}

TEST_F(RunningCapture, OfWhatTheFilterTakes) {
  Client client{path};
  ASSERT_TRUE(client.ask(capture_of({}, {load_length, is_70, take, leave})).has_captured());
  (void)worker.poll_once();
  for (const auto& packet : receive(client, 128)) {
    EXPECT_EQ(packet.size(), 70U);
  }
}

TEST_F(RunningCapture, OfWhatWasDecidedAboutEach) {
  Client client{path};
  auto wanted = capture_of({"lan"});
  wanted.mutable_capture()->set_received(false);
  wanted.mutable_capture()->set_dropped(false);
  wanted.mutable_capture()->set_judged(true);
  ASSERT_TRUE(client.ask(wanted).has_captured());
  (void)worker.poll_once();
  for (const auto& packet : receive(client, 64)) {
    EXPECT_EQ(packet.direction(), ipc::CapturedPacket::JUDGED);
    EXPECT_EQ(packet.reason(), "other_station");
    EXPECT_EQ(packet.judgement().stage(), "validate");
    EXPECT_EQ(packet.judgement().fate(), ipc::Judgement::IS_DROPPED);
    EXPECT_TRUE(packet.judgement().zone().empty());
  }
}

// What has been decided is named as it was called then, although nobody has read it before the name went.
TEST_F(RunningCapture, OutlivesWhatItNames) {
  Client client{path};
  auto wanted = capture_of({"lan"});
  wanted.mutable_capture()->set_received(false);
  wanted.mutable_capture()->set_dropped(false);
  wanted.mutable_capture()->set_judged(true);
  wanted.mutable_capture()->set_judged_reason("other_station");
  ASSERT_TRUE(client.ask(wanted).has_captured());
  Client control{path};
  (void)worker.poll_once();
  control.begin(false);
  control.change(parse(R"(remove_ports: "lan")"));
  ASSERT_TRUE(control.commit().has_committed());
  EXPECT_EQ(receive(client, 64).size(), 64U);
}

// The capture survives what is committed meanwhile, and a port that goes.
TEST_F(RunningCapture, OutlivesTransactions) {
  Client client{path};
  ASSERT_TRUE(client.ask(capture_of({"egress"})).has_captured());
  Client control{path};
  control.begin(false);
  control.change(parse(R"(remove_ports: "lan")"));
  ASSERT_TRUE(control.commit().has_committed());
  ASSERT_EQ(worker.poll_once(), 64U);
  EXPECT_EQ(receive(client, 128).size(), 128U);
}

}  // namespace
}  // namespace sekisho::writer::test
