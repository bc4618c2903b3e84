// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/packet/unfinished_checksum.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <random>
#include <vector>

namespace sekisho::packet {
namespace {

using Bytes = std::vector<std::uint8_t>;

constexpr std::uint8_t tcp = 6;
constexpr std::uint8_t udp = 17;

// RFC 1071, by the word.
std::uint16_t ones_sum(const Bytes& bytes) {
  std::uint32_t sum = 0;
  for (std::size_t at = 0; at < bytes.size(); at += 2) {
    sum += bytes[at] * 256U + (at + 1 < bytes.size() ? bytes[at + 1] : 0U);
    sum = (sum & 0xffff) + (sum >> 16);
  }
  return static_cast<std::uint16_t>(sum);
}

std::size_t field_of(std::uint8_t protocol) {
  return 20 + (protocol == tcp ? 16 : 6);
}

Bytes pseudo_header(const Bytes& packet) {
  const auto length = packet.size() - 20;
  Bytes bytes(packet.begin() + 12, packet.begin() + 20);
  bytes.insert(bytes.end(),
               {0, packet[9], static_cast<std::uint8_t>(length >> 8), static_cast<std::uint8_t>(length)});
  return bytes;
}

void store(Bytes& packet, std::size_t at, std::uint16_t value) {
  packet[at] = static_cast<std::uint8_t>(value >> 8);
  packet[at + 1] = static_cast<std::uint8_t>(value);
}

// As Linux hands it to a device that is to finish it.
Bytes unfinished(std::uint8_t protocol, std::size_t length, std::mt19937& random) {
  Bytes packet(20 + length);
  for (auto& byte : packet) {
    byte = static_cast<std::uint8_t>(random());
  }
  packet[0] = 0x45;
  store(packet, 2, static_cast<std::uint16_t>(packet.size()));
  store(packet, 6, 0x4000);
  packet[9] = protocol;
  store(packet, field_of(protocol), ones_sum(pseudo_header(packet)));
  return packet;
}

// As that device would.
Bytes finished(Bytes packet) {
  const Bytes segment(packet.begin() + 20, packet.end());
  store(packet, field_of(packet[9]), static_cast<std::uint16_t>(~ones_sum(segment)));
  return packet;
}

bool found(const Bytes& packet) {
  return has_unfinished_checksum(Ipv4View(packet.data()), packet.size());
}

TEST(UnfinishedChecksum, IsToldFromAFinishedOne) {
  std::mt19937 random(1);
  for (const auto protocol : {tcp, udp}) {
    for (std::size_t length = protocol == tcp ? 20 : 8; length < 300; ++length) {
      const auto packet = unfinished(protocol, length, random);
      EXPECT_TRUE(found(packet)) << length;
      EXPECT_FALSE(found(finished(packet))) << length;
    }
  }
}

TEST(UnfinishedChecksum, IsNoWrongOne) {
  std::mt19937 random(2);
  auto packet = unfinished(tcp, 40, random);
  ++packet[field_of(tcp)];
  EXPECT_FALSE(found(packet));
}

// What is to be added to the pseudo-header's sum is nothing: the finished checksum is the same, and holds.
TEST(UnfinishedChecksum, IsNoFinishedOneOfTheSameValue) {
  std::mt19937 random(3);
  auto packet = unfinished(udp, 12, random);
  store(packet, 20 + 8, 0);
  store(packet, 20 + 10, 0);
  Bytes rest(packet.begin() + 20, packet.end());
  const auto pseudo = ones_sum(pseudo_header(packet));
  // Twice the field and the pseudo-header, and this, make all ones.
  const auto so_far =
      ones_sum({static_cast<std::uint8_t>(ones_sum(rest) >> 8), static_cast<std::uint8_t>(ones_sum(rest)),
                static_cast<std::uint8_t>(pseudo >> 8), static_cast<std::uint8_t>(pseudo)});
  store(packet, 20 + 8, static_cast<std::uint16_t>(~so_far));
  EXPECT_FALSE(found(packet));
}

TEST(UnfinishedChecksum, IsNotLookedForWhereItCannotBe) {
  std::mt19937 random(4);
  const auto packet = unfinished(tcp, 40, random);
  auto other = packet;
  other[9] = 47;
  EXPECT_FALSE(found(other)) << "another protocol";
  auto fragment = packet;
  store(fragment, 6, 0x2000);
  EXPECT_FALSE(found(fragment)) << "a first fragment";
  store(fragment, 6, 0x0001);
  EXPECT_FALSE(found(fragment)) << "a later one";
  EXPECT_FALSE(has_unfinished_checksum(Ipv4View(packet.data()), packet.size() - 1)) << "a part of it";
  auto short_one = unfinished(udp, 8, random);
  short_one.resize(27);
  store(short_one, 2, 27);
  EXPECT_FALSE(found(short_one)) << "no whole header";
}

}  // namespace
}  // namespace sekisho::packet
