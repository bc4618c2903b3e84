// SPDX-License-Identifier: BSD-3-Clause
// What workers tell of packets whose way they trace: what they decided, when they did. decide_test.cpp has the same of random ones.
#include <rte_mbuf.h>
#include <rte_ring.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <vector>

#include "common/base/prefix.hpp"
#include "dataplane/forward/capture.hpp"
#include "tests/packet/lab.hpp"

namespace sekisho::test {
namespace {

using forward::Capture;
using forward::Judgement;
using Fate = Judgement::Fate;
using Stage = Judgement::Stage;

struct Traced {
  PortIndex port = 0;
  Bytes bytes;
  Judgement judgement;
};

class TraceTest : public testing::Test {
 protected:
  TraceTest() { look({}); }
  ~TraceTest() override {
    worker_.reset();
    EXPECT_EQ(lab().mbufs_free(), lab().mbufs_total());
  }

  void look(std::optional<DropReason> only) {
    capture_ =
        Capture::create({.snap_length = 128, .wanted = {false, false, false, true}, .only = only}).value();
    capture_->set_ports(~forward::PortMask{0});
    state_.capture = capture_.get();
    be_patient(0);
  }
  void be_patient(unsigned milliseconds) {
    worker_ = std::make_unique<forward::Worker>(
        lab().qsbr, forward::Worker::Options{.index = 0, .patience_ms = milliseconds});
    worker_->set_state(&state_);
    worker_->set_queues(&lab().queues);
  }

  void send(const Packet& packet, PortIndex in = lan) { lab().send(in, packet.bytes()); }
  void poll() {
    while (worker_->poll_once() != 0) {
    }
  }
  std::vector<Traced> read() {
    std::vector<Traced> all;
    capture_->read(1'000, [&](const Capture::Packet& packet) {
      EXPECT_EQ(packet.direction, Capture::Direction::judged);
      all.push_back({packet.port, Bytes(packet.bytes().begin(), packet.bytes().end()), packet.judgement});
    });
    return all;
  }
  // Of the one packet that came.
  Judgement trace(const Packet& packet, PortIndex in = lan) {
    send(packet, in);
    poll();
    const auto all = read();
    EXPECT_EQ(all.size(), 1U);
    for (const auto port : {lan, egress, spoke, narrow}) {
      (void)lab().sent(port);
    }
    if (all.size() != 1) {
      return {};
    }
    const auto bytes = packet.bytes();
    EXPECT_EQ(all[0].port, in);
    EXPECT_EQ(all[0].bytes,
              Bytes(bytes.begin(), bytes.begin() + std::min<std::ptrdiff_t>(128, std::ssize(bytes))));
    return all[0].judgement;
  }
  void expect_drop(const Packet& in, Stage stage, DropReason reason) {
    const auto judgement = trace(in);
    EXPECT_EQ(judgement.stage, stage);
    EXPECT_EQ(judgement.fate, Fate::dropped);
    EXPECT_EQ(judgement.reason, reason);
  }

  std::unique_ptr<Capture> capture_;
  forward::ForwardingState state_ = lab().state;
  std::unique_ptr<forward::Worker> worker_;
};

TEST_F(TraceTest, AForwardedPacketHasItsWholeWay) {
  const auto judgement = trace(packet().to("10.0.5.5"));
  EXPECT_EQ(judgement.stage, Stage::transmit);
  EXPECT_EQ(judgement.fate, Fate::forwarded);
  EXPECT_EQ(judgement.zone, onprem_zone);
  EXPECT_EQ(judgement.next_hop, vnet);
  EXPECT_EQ(judgement.member, vnet_router);
  EXPECT_FALSE(judgement.generated);
  EXPECT_FALSE(judgement.told);
}

TEST_F(TraceTest, ItHasTheMemberThatItsFlowTook) {
  const auto judgement = trace(packet());
  EXPECT_EQ(judgement.fate, Fate::forwarded);
  EXPECT_EQ(judgement.next_hop, firewall);
  EXPECT_TRUE(judgement.member == firewall_a || judgement.member == firewall_b);
}

TEST_F(TraceTest, ADroppedPacketEndsAtTheStageThatDecided) {
  expect_drop(packet().checksum(1), Stage::validate, DropReason::bad_checksum);
  expect_drop(packet().from("203.0.113.7"), Stage::admit, DropReason::unknown_source);
  expect_drop(packet().from("10.0.5.5").to("1.1.1.1"), Stage::resolve, DropReason::no_route);
  expect_drop(packet().to("10.0.5.5").ttl(1), Stage::resolve, DropReason::ttl_expired);
  const auto late = trace(packet().to("10.0.5.5").ttl(1));
  EXPECT_EQ(late.zone, onprem_zone);
  EXPECT_EQ(late.next_hop, vnet);
  const auto early = trace(packet().checksum(1));
  EXPECT_FALSE(early.zone || early.next_hop || early.member);
}

// Columns lose their gaps while packets leave the burst.
TEST_F(TraceTest, EachOfAMixedBurstHasItsOwn) {
  const std::vector<Packet> packets = {packet().to("10.0.5.5"),
                                       packet().checksum(1),
                                       packet().from("203.0.113.7"),
                                       packet().from("10.0.5.5").to("172.16.0.1"),
                                       packet().to("10.0.5.5").ttl(1),
                                       packet().to("10.0.5.6"),
                                       packet().from("10.0.5.5").to("1.1.1.1"),
                                       packet().to("100.64.0.1").size(900)};
  for (const auto& one : packets) {
    send(one);
  }
  poll();
  std::vector<std::pair<Fate, std::optional<NextHopIndex>>> fates;
  for (const auto& one : read()) {
    fates.emplace_back(one.judgement.fate, one.judgement.next_hop);
  }
  using Ways = decltype(fates);
  EXPECT_EQ(fates, (Ways{{Fate::forwarded, vnet},
                         {Fate::dropped, {}},
                         {Fate::dropped, {}},
                         {Fate::forwarded, onprem_gateway},
                         {Fate::dropped, vnet},
                         {Fate::forwarded, vnet},
                         {Fate::dropped, NextHopIndex{0}},
                         {Fate::in_fragments, narrow_hop}}));
  for (const auto port : {lan, spoke, narrow}) {
    (void)lab().sent(port);
  }
}

TEST_F(TraceTest, WhatTheDeviceDoesNotTakeIsDropped) {
  constexpr unsigned count = narrow_capacity + 5;
  for (unsigned i = 0; i < count; ++i) {
    send(packet().to("100.64.0.1").id(static_cast<std::uint16_t>(i)));
  }
  poll();
  const auto sent = lab().sent(narrow).size();
  const auto all = read();
  ASSERT_EQ(all.size(), count);
  for (std::size_t at = 0; at < count; ++at) {
    EXPECT_EQ(all[at].judgement.stage, Stage::transmit);
    EXPECT_EQ(all[at].judgement.fate, at < sent ? Fate::forwarded : Fate::dropped);
    EXPECT_TRUE(at < sent || all[at].judgement.reason == DropReason::transmit_full);
  }
}

TEST_F(TraceTest, ItsSenderIsTold) {
  state_.icmp.limits = {.rate = 1'000, .rate_per_source = 1'000};
  state_.icmp.set(DropReason::ttl_expired, packet::IcmpError::time_exceeded);
  const auto in = packet().to("10.0.5.5").ttl(1);
  EXPECT_FALSE(trace(in).told) << "the port has no address to tell it from";
  state_.host[lan].address = 0x0a000104;
  EXPECT_EQ(trace(in).told, packet::IcmpError::time_exceeded);
}

TEST_F(TraceTest, OnlyTheReasonThatIsAskedFor) {
  look(DropReason::unknown_source);
  send(packet().to("10.0.5.5"));
  send(packet().checksum(1));
  send(packet().from("203.0.113.7"));
  poll();
  (void)lab().sent(spoke);
  const auto all = read();
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].judgement.reason, DropReason::unknown_source);
}

TEST_F(TraceTest, OnlyThePortsThatAreAskedFor) {
  capture_->set_ports(forward::PortMask{1} << spoke);
  send(packet().to("10.0.5.5"));
  send(packet().from("10.0.5.5").to("172.16.0.1"), spoke);
  poll();
  (void)lab().sent(spoke);
  (void)lab().sent(lan);
  const auto all = read();
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].port, spoke);
}

// It is told of twice: that it waits, and how it goes on.
TEST_F(TraceTest, APacketThatHasWaitedIsJudgedAnew) {
  constexpr unsigned long_enough = 60'000;
  be_patient(long_enough);
  const auto first = trace(packet().to("10.2.0.5"));
  EXPECT_EQ(first.fate, Fate::waits);
  EXPECT_EQ(first.stage, Stage::resolve);
  EXPECT_EQ(first.next_hop, subnet);
  const base::Prefix host{base::parse_address("10.2.0.5").value(), 32};
  ASSERT_TRUE(lab().tables[0]->apply(std::vector<fib::Route>{{host, value_of(vnet)}}));
  while (worker_->counters().ports[lan].waiting.get() != 0) {
    worker_->poll_once();
  }
  const auto all = read();
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].judgement.stage, Stage::waiting);
  EXPECT_EQ(all[0].judgement.fate, Fate::forwarded);
  EXPECT_EQ(all[0].judgement.next_hop, vnet);
  EXPECT_EQ(lab().sent(spoke).size(), 1U);
  ASSERT_TRUE(lab().tables[0]->apply(std::vector<fib::Route>{{host, fib::no_route}}));
}

}  // namespace
}  // namespace sekisho::test
