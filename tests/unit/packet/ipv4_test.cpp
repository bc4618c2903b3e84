// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/packet/ipv4.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>

#include "dataplane/packet/ethernet.hpp"
#include "tests/unit/packet/headers.hpp"

namespace sekisho::packet::test {
namespace {

HeaderFault validate(const Bytes& bytes) {
  return validate_ipv4(Exact(bytes).memory.get(), bytes.size(), bytes.size());
}

TEST(Ipv4View, ReadsEveryField) {
  Bytes header = make_header(6, 1234);
  header[8] = 7;
  header[9] = 6;
  const Ipv4View ip(header.data());
  EXPECT_EQ(ip.version(), 4U);
  EXPECT_EQ(ip.header_size(), 24U);
  EXPECT_EQ(ip.total_length(), 1234);
  EXPECT_EQ(ip.ttl(), 7);
  EXPECT_EQ(ip.protocol(), Protocol::tcp);
  EXPECT_EQ(ip.source(), 0x0a000001U);
  EXPECT_EQ(ip.destination(), 0xc6336401U);
  EXPECT_EQ(ip.data(), header.data());
}

TEST(Ipv4View, KnowsFragments) {
  struct Case {
    const char* why;
    unsigned flags_and_offset;
    bool fragment;
  };
  constexpr Case cases[] = {{"whole", 0x0000, false},        {"do not fragment", 0x4000, false},
                            {"reserved bit", 0x8000, false}, {"first", 0x2000, true},
                            {"middle", 0x2001, true},        {"last", 0x0001, true},
                            {"last, far", 0x1fff, true},     {"highest offset bit", 0x1000, true}};
  for (const Case& c : cases) {
    Bytes header = make_header();
    set16(header, 6, c.flags_and_offset);
    EXPECT_EQ(Ipv4View(header.data()).fragment(), c.fragment) << c.why;
  }
}

TEST(ValidateIpv4, Table) {
  struct Case {
    std::string why;
    std::function<void(Bytes&)> change;
    HeaderFault fault;
    unsigned words = 5;
    std::size_t payload = 0;
  };
  const auto total = [](unsigned length) {
    return [length](Bytes& bytes) {
      set16(bytes, 2, length);
      bytes[10] = bytes[11] = 0;
      Bytes header(bytes.begin(), bytes.begin() + (bytes[0] & 15) * 4);
      set16(bytes, 10, naive_checksum(header));
    };
  };
  const std::vector<Case> cases = {
      {"the smallest datagram", total(20), HeaderFault::none},
      {"with payload", total(28), HeaderFault::none, 5, 8},
      {"padding behind it", total(28), HeaderFault::none, 5, 26},
      {"one byte more than arrived", total(29), HeaderFault::total_length, 5, 8},
      {"the largest lie", total(65535), HeaderFault::total_length, 5, 8},
      {"total length 0", total(0), HeaderFault::header_length, 5, 8},
      {"total length below the header's", total(19), HeaderFault::header_length, 5, 8},
      {"total length that ends in the options", total(59), HeaderFault::header_length, 15, 8},
      {"total length that ends with the options", total(60), HeaderFault::none, 15, 8},
      {"wrong checksum", [](Bytes& b) { b[10] ^= 1; }, HeaderFault::checksum},
      {"wrong checksum over options", [](Bytes& b) { b[59] ^= 1; }, HeaderFault::checksum, 15},
      {"version 0", [](Bytes& b) { b[0] = 0x05; }, HeaderFault::version},
      {"version 6", [](Bytes& b) { b[0] = 0x65; }, HeaderFault::version},
      {"version 15", [](Bytes& b) { b[0] = 0xf5; }, HeaderFault::version},
  };
  for (const Case& c : cases) {
    Bytes bytes = make_header(c.words, c.words * 4);
    bytes.resize(bytes.size() + c.payload, 0x55);
    c.change(bytes);
    EXPECT_EQ(validate(bytes), c.fault) << c.why;
  }
}

TEST(ValidateIpv4, EveryHeaderLength) {
  for (unsigned words = 0; words < 16; ++words) {
    Bytes bytes = make_header(15, 60);
    bytes[0] = static_cast<std::uint8_t>(0x40 | words);
    Bytes header(bytes.begin(), bytes.begin() + std::max(words, 5U) * 4);
    set16(bytes, 10, naive_checksum(header));
    EXPECT_EQ(validate(bytes), words < 5 ? HeaderFault::header_length : HeaderFault::none) << words;
    // The same header, of which only 20 bytes have come.
    bytes.resize(20);
    const HeaderFault truncated = words < 5    ? HeaderFault::header_length
                                  : words == 5 ? HeaderFault::total_length
                                               : HeaderFault::too_short;
    EXPECT_EQ(validate(bytes), truncated) << words;
  }
}

TEST(ValidateIpv4, EveryTruncation) {
  const Bytes whole = make_header(7, 28);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_EQ(validate(Bytes(whole.begin(), whole.begin() + size)), HeaderFault::too_short) << size;
  }
  EXPECT_EQ(validate(whole), HeaderFault::none);
}

TEST(ValidateIpv4, TellsReadableFromArrived) {
  const Bytes header = make_header(5, 1000);
  EXPECT_EQ(validate_ipv4(Exact(header).memory.get(), 20, 1000), HeaderFault::none);
  EXPECT_EQ(validate_ipv4(Exact(header).memory.get(), 20, 999), HeaderFault::total_length);
  EXPECT_EQ(validate_ipv4(Exact(header).memory.get(), 19, 1000), HeaderFault::too_short);
}

TEST(Ethernet, ReadsTypeAndGroup) {
  Bytes frame = {0x02, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 0x08, 0x00};
  EXPECT_EQ(EthernetView(frame.data()).type(), EtherType::ipv4);
  EXPECT_FALSE(EthernetView(frame.data()).to_group());
  frame[0] = 0x01;
  frame[12] = 0x86;
  frame[13] = 0xdd;
  EXPECT_EQ(EthernetView(frame.data()).type(), EtherType::ipv6);
  EXPECT_TRUE(EthernetView(frame.data()).to_group());
  frame[0] = 0xff;
  EXPECT_TRUE(EthernetView(frame.data()).to_group());
}

TEST(Ethernet, RewritesTheStationsAndNothingElse) {
  Bytes frame(ethernet_header_size + 4, 0xee);
  std::array<std::uint8_t, 12> stations;
  for (std::size_t at = 0; at < stations.size(); ++at) {
    stations[at] = static_cast<std::uint8_t>(at + 1);
  }
  rewrite_stations(frame.data(), stations);
  EXPECT_TRUE(std::equal(stations.begin(), stations.end(), frame.begin()));
  EXPECT_EQ(Bytes(frame.begin() + 12, frame.end()), Bytes(6, 0xee)) << "the EtherType stays";
}

}  // namespace
}  // namespace sekisho::packet::test
