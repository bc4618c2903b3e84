// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/packet/flow_hash.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <random>

#include "tests/unit/packet/headers.hpp"

namespace sekisho::packet::test {
namespace {

Flow reverse(const Flow& flow) {
  return {flow.destination, flow.source, flow.protocol, flow.destination_port, flow.source_port};
}

// Statistic of a chi-squared test over 256 buckets: 255 degrees of freedom, so a fair hash exceeds 400 once
// in 10^8.
double chi_squared(const std::function<Flow(std::uint32_t)>& flow, unsigned flows) {
  std::array<double, 256> buckets{};
  for (std::uint32_t i = 0; i < flows; ++i) {
    ++buckets[flow_hash(flow(i)) & 255];
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
    EXPECT_LT(chi_squared(c.flow, c.flows), 400) << c.why;
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

}  // namespace
}  // namespace sekisho::packet::test
