// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/packet/flow_hash.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <random>

#include "tests/unit/packet/headers.hpp"

namespace sekisho::packet::test {
namespace {

Flow reverse(const Flow& flow) {
  return {flow.destination, flow.source, flow.protocol, flow.destination_port, flow.source_port};
}

// Statistic of a chi-squared test over 256 buckets: 255 degrees of freedom, so a fair hash exceeds 400 once
// in 10^8. Of the bits from `lowest` on: next hops have from 1024 to 16384 buckets (decide/member.hpp).
double chi_squared(const std::function<Flow(std::uint32_t)>& flow, unsigned flows, unsigned lowest) {
  std::array<double, 256> buckets{};
  for (std::uint32_t i = 0; i < flows; ++i) {
    ++buckets[flow_hash(flow(i)) >> lowest & 255];
  }
  const double expected = flows / 256.0;
  double sum = 0;
  for (const double bucket : buckets) {
    sum += (bucket - expected) * (bucket - expected) / expected;
  }
  return sum;
}

TEST(FlowHash, BothDirectionsAlike) {
  std::mt19937_64 random(4);
  for (int round = 0; round < 100'000; ++round) {
    const std::uint64_t addresses = random();
    const std::uint64_t rest = random();
    const Flow flow{static_cast<std::uint32_t>(addresses), static_cast<std::uint32_t>(addresses >> 32),
                    Protocol{static_cast<std::uint8_t>(rest)}, static_cast<std::uint16_t>(rest >> 16),
                    static_cast<std::uint16_t>(rest >> 32)};
    ASSERT_EQ(flow_hash(flow), flow_hash(reverse(flow)));
  }
}

// What makes both directions alike must not make others alike: here the ports are swapped but the addresses
// are not.
TEST(FlowHash, IsOfTheFlowNotOfTheSetOfItsNumbers) {
  unsigned alike = 0;
  for (std::uint16_t i = 0; i < 1000; ++i) {
    const auto port = static_cast<std::uint16_t>(1024 + i);
    const Flow one{0x0a000001, 0x0a000002, Protocol::tcp, port, 443};
    const Flow other{0x0a000001, 0x0a000002, Protocol::tcp, 443, port};
    alike += flow_hash(one) == flow_hash(other) ? 1 : 0;
  }
  EXPECT_LE(alike, 1U);
}

TEST(FlowHash, SpreadsOver256BucketsWhateverDiffers) {
  struct Case {
    const char* why;
    unsigned flows;
    std::function<Flow(std::uint32_t)> flow;
  };
  constexpr std::uint32_t a = 0xac100001;
  constexpr std::uint32_t b = 0x08080808;
  const auto port = [](std::uint32_t i) { return static_cast<std::uint16_t>(i); };
  const Case cases[] = {
      {"source port", 65536,
       [&](std::uint32_t i) {
         return Flow{a, b, Protocol::tcp, port(i), 443};
       }},
      {"destination port", 65536,
       [&](std::uint32_t i) {
         return Flow{a, b, Protocol::tcp, 50000, port(i)};
       }},
      {"ports, against each other", 65536,
       [&](std::uint32_t i) {
         return Flow{a, b, Protocol::udp, port(i), port(0 - i)};
       }},
      {"both ports alike", 65536,
       [&](std::uint32_t i) {
         return Flow{a, b, Protocol::udp, port(i), port(i)};
       }},
      {"ephemeral ports, in steps of two", 8192,
       [&](std::uint32_t i) {
         return Flow{a, b, Protocol::tcp, port(32768 + 2 * i), 443};
       }},
      {"source, counted up", 65536,
       [&](std::uint32_t i) {
         return Flow{a + i, b, Protocol::icmp};
       }},
      {"source, by subnets", 16384,
       [&](std::uint32_t i) {
         return Flow{a + (i << 8), b, Protocol::icmp};
       }},
      {"destination, counted up", 65536,
       [&](std::uint32_t i) {
         return Flow{a, b + i, Protocol::icmp};
       }},
      {"destination, by /16", 32768,
       [&](std::uint32_t i) {
         return Flow{a, i << 16, Protocol::icmp};
       }},
      {"both addresses at once", 65536,
       [&](std::uint32_t i) {
         return Flow{a + i, b + i, Protocol::icmp};
       }},
      {"both addresses, against each other", 65536,
       [&](std::uint32_t i) {
         return Flow{a + i, b - i, Protocol::icmp};
       }},
      {"256 sources to 256 destinations", 65536,
       [&](std::uint32_t i) {
         return Flow{a + (i & 255), b + (i >> 8), Protocol::icmp};
       }},
      {"both ends alike", 65536,
       [&](std::uint32_t i) {
         return Flow{a + i, a + i, Protocol::udp, 500, 500};
       }},
      {"address and port against each other", 65536,
       [&](std::uint32_t i) {
         return Flow{a + i, b, Protocol::tcp, port(0 - i), 443};
       }},
      {"address and port at once", 65536,
       [&](std::uint32_t i) {
         return Flow{a + i, b, Protocol::tcp, port(i), 443};
       }},
  };
  for (const Case& c : cases) {
    for (const unsigned lowest : {0U, 2U, 6U}) {
      EXPECT_LT(chi_squared(c.flow, c.flows, lowest), 400) << c.why << ", bits from " << lowest;
    }
  }
}

// Appliances that run different builds must still agree: a change of these values is a change of every flow's
// way.
TEST(FlowHash, StaysWhatItIs) {
  EXPECT_EQ(flow_hash({}), 2146126534U);
  EXPECT_EQ(flow_hash({0x0a000001, 0x08080808, Protocol::tcp, 50000, 443}), 228806144U);
}

struct PortsCase {
  const char* why;
  unsigned protocol;
  unsigned flags_and_offset;
  unsigned total;
  std::size_t readable;
  unsigned words;
  bool ports;
};

TEST(FlowOf, TakesPortsOnlyWhereEveryPacketHasThem) {
  constexpr PortsCase cases[] = {
      {"TCP", 6, 0, 40, 40, 5, true},
      {"UDP", 17, 0, 28, 28, 5, true},
      {"UDP, not to be fragmented", 17, 0x4000, 28, 28, 5, true},
      {"UDP behind options", 17, 0, 68, 68, 15, true},
      {"ICMP", 1, 0, 28, 28, 5, false},
      {"ESP", 50, 0, 40, 40, 5, false},
      {"GRE", 47, 0, 40, 40, 5, false},
      {"first fragment", 17, 0x2000, 28, 28, 5, false},
      {"middle fragment", 17, 0x2010, 28, 28, 5, false},
      {"last fragment", 6, 0x0010, 28, 28, 5, false},
      {"ports exactly to the end", 6, 0, 24, 24, 5, true},
      {"ports cut by the segment", 6, 0, 40, 23, 5, false},
      {"ports cut by the total length: padding is no port", 6, 0, 23, 46, 5, false},
      {"header only", 6, 0, 20, 20, 5, false},
      {"header only, with options", 6, 0, 60, 60, 15, false},
  };
  for (const PortsCase& c : cases) {
    Bytes bytes = make_header(c.words, c.total);
    bytes[9] = static_cast<std::uint8_t>(c.protocol);
    set16(bytes, 6, c.flags_and_offset);
    bytes.resize(std::max(c.readable, bytes.size()));
    for (std::size_t at = c.words * 4U; at < bytes.size(); ++at) {
      bytes[at] = static_cast<std::uint8_t>(at);
    }
    // Exactly as long as may be read.
    const auto memory = std::make_unique<std::uint8_t[]>(c.readable);
    std::copy_n(bytes.begin(), c.readable, memory.get());
    const Flow flow = flow_of(Ipv4View(memory.get()), c.readable);
    EXPECT_EQ(flow.source, 0x0a000001U);
    EXPECT_EQ(flow.destination, 0xc6336401U);
    EXPECT_EQ(static_cast<unsigned>(flow.protocol), c.protocol) << c.why;
    const std::size_t at = c.words * 4U;
    EXPECT_EQ(flow.source_port, c.ports ? get16(bytes, at) : 0U) << c.why;
    EXPECT_EQ(flow.destination_port, c.ports ? get16(bytes, at + 2) : 0U) << c.why;
  }
}

// An ICMP message from 10.0.0.1 to 198.51.100.1, in memory that is exactly as long as may be read.
struct Message {
  std::unique_ptr<std::uint8_t[]> memory;
  std::size_t size = 0;
  [[nodiscard]] Flow related() const { return related_flow(Ipv4View(memory.get()), size); }
  [[nodiscard]] Flow own() const { return flow_of(Ipv4View(memory.get()), size); }
};

Message icmp(unsigned type, const Bytes& quote, unsigned flags_and_offset = 0, unsigned words = 5) {
  Bytes bytes = make_header(words, static_cast<unsigned>(words * 4 + 8 + quote.size()));
  bytes[9] = 1;
  set16(bytes, 6, flags_and_offset);
  bytes.resize(words * 4);
  bytes.insert(bytes.end(), {static_cast<std::uint8_t>(type), 4, 0, 0, 0, 0, 0x05, 0x14});
  bytes.insert(bytes.end(), quote.begin(), quote.end());
  Message message{std::make_unique<std::uint8_t[]>(bytes.size()), bytes.size()};
  std::ranges::copy(bytes, message.memory.get());
  return message;
}

// Of a datagram of 1400 bytes from 203.0.113.7 to 172.16.0.1, so many bytes.
Bytes quote_of(unsigned protocol, std::size_t bytes = 28, unsigned flags_and_offset = 0x4000,
               unsigned words = 5) {
  Bytes quote = make_header(words, 1400);
  quote.resize(words * 4);
  quote[9] = static_cast<std::uint8_t>(protocol);
  set16(quote, 6, flags_and_offset);
  const Bytes addresses{203, 0, 113, 7, 172, 16, 0, 1};
  std::ranges::copy(addresses, quote.begin() + 12);
  quote.insert(quote.end(), {0x01, 0xbb, 0xc0, 0x01, 0, 0, 0, 0});
  quote.resize(bytes);
  return quote;
}

constexpr std::uint32_t server = 0xcb007107;
constexpr std::uint32_t client = 0xac100001;

TEST(RelatedFlow, OfAnErrorIsTheOneThatItQuotes) {
  const Flow answer{server, client, Protocol::tcp, 443, 49153};
  for (const unsigned type : {3U, 4U, 5U, 11U, 12U}) {
    const Message error = icmp(type, quote_of(6));
    EXPECT_EQ(flow_hash(error.related()), flow_hash(answer)) << type;
    EXPECT_EQ(flow_hash(error.related()), flow_hash(reverse(answer))) << type;
    EXPECT_EQ(address_hash(error.related()), address_hash(answer)) << type;
  }
  EXPECT_EQ(flow_hash(icmp(3, quote_of(6), 0, 15).related()), flow_hash(answer)) << "behind options";
  EXPECT_EQ(flow_hash(icmp(3, quote_of(6, 68, 0x4000, 15)).related()), flow_hash(answer)) << "options quoted";
  EXPECT_EQ(flow_hash(icmp(3, quote_of(6, 548)).related()), flow_hash(answer)) << "a long quote";
}

TEST(RelatedFlow, WhatAQuoteDoesNotShowTheFlowsPacketsDoNotShowEither) {
  const Flow without_ports{server, client, Protocol::udp};
  for (const Message& error :
       {icmp(3, quote_of(17, 28, 0x2000)), icmp(3, quote_of(17, 28, 0x0010)), icmp(3, quote_of(17, 23)),
        icmp(3, quote_of(17, 20)), icmp(3, quote_of(17, 28, 0, 15))}) {
    EXPECT_EQ(flow_hash(error.related()), flow_hash(without_ports));
  }
  EXPECT_EQ(flow_hash(icmp(11, quote_of(1)).related()), flow_hash({client, server, Protocol::icmp}))
      << "that an echo request died goes where the request went";
  EXPECT_EQ(flow_hash(icmp(3, quote_of(50)).related()), flow_hash({client, server, Protocol{50}}));
}

TEST(RelatedFlow, OfEverythingElseIsItsOwn) {
  Bytes version_6 = quote_of(6);
  version_6[0] = 0x65;
  Bytes short_header = quote_of(6);
  short_header[0] = 0x44;
  for (const Message& message :
       {icmp(0, quote_of(6)), icmp(8, quote_of(6)), icmp(13, quote_of(6)), icmp(3, quote_of(6), 0x2000),
        icmp(3, quote_of(6), 0x0010), icmp(3, quote_of(6, 19)), icmp(3, {}), icmp(3, version_6),
        icmp(3, short_header)}) {
    EXPECT_EQ(flow_hash(message.related()), flow_hash(message.own()));
  }
}

// Whatever it holds: AddressSanitizer sees whether a byte too many is read.
TEST(RelatedFlow, ReadsNothingBehindTheEnd) {
  std::mt19937 random(6);
  for (int round = 0; round < 200'000; ++round) {
    const std::size_t size = 20 + random() % 80;
    const auto memory = std::make_unique<std::uint8_t[]>(size);
    std::generate_n(memory.get(), size, [&] { return static_cast<std::uint8_t>(random()); });
    memory[0] = static_cast<std::uint8_t>(0x45 + random() % ((size - 20) / 4 + 1) % 11);
    memory[9] = 1;
    memory[6] = memory[7] = 0;
    memory[2] = 0;
    static_cast<void>(related_flow(Ipv4View(memory.get()), size));
  }
}

TEST(AddressHash, IsTheSameForAllThatTwoAddressesSay) {
  const Flow one{server, client, Protocol::udp, 500, 500};
  for (const Flow& flow :
       {Flow{server, client, Protocol::udp, 4500, 4500}, Flow{client, server, Protocol{50}},
        Flow{client, server, Protocol::udp}, Flow{server, client, Protocol::icmp}}) {
    EXPECT_EQ(address_hash(flow), address_hash(one));
  }
  EXPECT_NE(address_hash({server, client + 1}), address_hash(one));
}

}  // namespace
}  // namespace sekisho::packet::test
