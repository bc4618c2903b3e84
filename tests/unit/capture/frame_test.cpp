// SPDX-License-Identifier: BSD-3-Clause
#include "control/capture/frame.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace sekisho::capture {
namespace {

using Bytes = std::vector<std::uint8_t>;

const Bytes stations{2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2};

Bytes operator+(Bytes front, const Bytes& back) {
  front.insert(front.end(), back.begin(), back.end());
  return front;
}

// From 10.0.0.5 to 1.1.1.1.
Bytes ipv4(std::uint8_t protocol, Bytes payload, std::uint16_t fragment = 0) {
  const auto length = 20 + payload.size();
  return stations + Bytes{8, 0} +
         Bytes{0x45,
               0,
               static_cast<std::uint8_t>(length >> 8),
               static_cast<std::uint8_t>(length),
               0x12,
               0x34,
               static_cast<std::uint8_t>(fragment >> 8),
               static_cast<std::uint8_t>(fragment),
               7,
               protocol,
               0,
               0,
               10,
               0,
               0,
               5,
               1,
               1,
               1,
               1} +
         payload;
}

std::string text(const Bytes& kept, std::size_t size) {
  return to_text(read_frame(kept, size));
}
std::string text(const Bytes& kept) {
  return text(kept, kept.size());
}

TEST(Frame, OfTcpHasPortsAndFlags) {
  const Bytes tcp = Bytes{0x10, 0x92, 0x01, 0xbb} + Bytes(9) + Bytes{0x12} + Bytes(6);
  EXPECT_EQ(text(ipv4(6, tcp), 1514), "10.0.0.5:4242 > 1.1.1.1:443 tcp S., TTL 7, 1514 bytes");
}

TEST(Frame, OfOtherProtocols) {
  EXPECT_EQ(text(ipv4(17, {0, 1, 0, 53, 0, 0, 0, 0})), "10.0.0.5:1 > 1.1.1.1:53 udp, TTL 7, 42 bytes");
  EXPECT_EQ(text(ipv4(1, {8, 0, 0, 0})), "10.0.0.5 > 1.1.1.1 icmp type 8 code 0, TTL 7, 38 bytes");
  EXPECT_EQ(text(ipv4(47, {})), "10.0.0.5 > 1.1.1.1 protocol 47, TTL 7, 34 bytes");
}

TEST(Frame, OfALaterFragmentHasNoPorts) {
  EXPECT_EQ(text(ipv4(17, {0, 1, 0, 53}, 0x2000)),
            "10.0.0.5:1 > 1.1.1.1:53 udp, fragment 4660 at 0+, TTL 7, 38 bytes");
  EXPECT_EQ(text(ipv4(17, {0, 1, 0, 53}, 0x0002)),
            "10.0.0.5 > 1.1.1.1 udp, fragment 4660 at 16, TTL 7, 38 bytes");
}

TEST(Frame, OfNoIpv4) {
  EXPECT_EQ(text(stations + Bytes{8, 6} + Bytes(46)), "02:00:00:00:00:02 > 02:00:00:00:00:01 ARP, 60 bytes");
  EXPECT_EQ(text(stations + Bytes{0x88, 0xcc}),
            "02:00:00:00:00:02 > 02:00:00:00:00:01 EtherType 0x88cc, 14 bytes");
  EXPECT_EQ(text(stations), "12 bytes");
  EXPECT_EQ(text({}), "0 bytes");
  EXPECT_EQ(text(Bytes{1}), "1 byte");
}

TEST(Frame, WhatItsLengthsClaimIsNotRead) {
  auto frame = ipv4(6, {0x10, 0x92, 0x01, 0xbb});
  EXPECT_EQ(text(frame), "10.0.0.5:4242 > 1.1.1.1:443 tcp, TTL 7, 38 bytes") << "without flags";
  frame[14] = 0x4f;  // a header of 60 bytes
  EXPECT_EQ(text(frame), "10.0.0.5 > 1.1.1.1 tcp, TTL 7, 38 bytes");
  frame[14] = 0x41;
  EXPECT_EQ(text(frame), "10.0.0.5 > 1.1.1.1 tcp, TTL 7, 38 bytes");
  frame[14] = 0x65;
  EXPECT_EQ(text(frame), "02:00:00:00:00:02 > 02:00:00:00:00:01 IPv4, 38 bytes") << "of another version";
  EXPECT_EQ(text(Bytes(frame.begin(), frame.begin() + 33)),
            "02:00:00:00:00:02 > 02:00:00:00:00:01 IPv4, 33 bytes");
}

}  // namespace
}  // namespace sekisho::capture
