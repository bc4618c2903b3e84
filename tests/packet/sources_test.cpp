// SPDX-License-Identifier: BSD-3-Clause
// Who may have sent a packet: what is no zone's but our own, and the flat form of the kernel's sources.
#include <random>

#include "common/base/prefix.hpp"
#include "dataplane/decide/host_sources.hpp"
#include "dataplane/fib/fib.hpp"
#include "tests/packet/lab.hpp"

namespace sekisho::test {
namespace {

using decide::HostSources;
using decide::SourceVerdict;

// Own addresses are in the table of sources beside the zones' prefixes: 172.16.0.4 inside of onprem's.
class OwnSources : public testing::Test {
 protected:
  OwnSources() {
    EXPECT_TRUE(
        sources_->apply(std::vector<fib::Route>{{{0xac10'0000, 12}, value_of(onprem_zone)},
                                                {{0xac10'0004, 32}, value_of(forward::own_sources)},
                                                {{0xac10'00ff, 32}, value_of(forward::own_sources)}}));
    state_ = lab().state;
    state_.sources = sources_.get();
    lab().worker->set_state(&state_);
  }
  ~OwnSources() override { lab().worker->set_state(&lab().state); }

  std::unique_ptr<fib::Fib> sources_ = fib::Fib::create(lab().qsbr).value();
  forward::ForwardingState state_;
};

TEST_F(OwnSources, AreMartiansWhereverTheyGo) {
  const Packet usual = Packet().from("172.16.0.1").to("10.0.5.5").udp(1000, 2000);
  const auto check = [&](const char* why, PortIndex in, const char* source, DropReason reason) {
    lab().check({why, in, Packet(usual).from(source).bytes(), reason, {}});
  };
  check("our own", lan, "172.16.0.4", DropReason::martian_source);
  check("our own by another port", egress, "172.16.0.4", DropReason::martian_source);
  check("a subnet's broadcast", lan, "172.16.0.255", DropReason::martian_source);
  check("a neighbour's by a port that may not carry it", egress, "172.16.0.3", DropReason::spoofed_source);
  const Packet neighbours = Packet(usual).from("172.16.0.3");
  lab().check(
      {"a neighbour's", lan, neighbours.bytes(), Forwarded{spoke}, forwarded_to(vnet_router, neighbours)});
  EXPECT_EQ(decided(state_, 0xac100004, 0x0a000505, lan).verdict.drop(), DropReason::martian_source);
  EXPECT_EQ(decided(state_, 0xac100004, 0x0a000505, std::nullopt).verdict.drop(), DropReason::martian_source);
  EXPECT_EQ(decided(state_, 0xac100003, 0x0a000505, lan).verdict.drop(), std::nullopt);
}

TEST(HostSources, TheLongestPrefixDecidesForEveryAddress) {
  std::mt19937 random(11);
  for (int round = 0; round < 300; ++round) {
    HostSources::Rules rules;
    if (round % 2 == 0) {
      rules.clear();
    }
    for (unsigned i = 0; i < 1 + random() % 40; ++i) {
      const auto length = static_cast<std::uint8_t>(random() % 33);
      base::Prefix prefix{static_cast<std::uint32_t>(random() & 0x0fff'ffff), length};
      prefix.address &= prefix.mask();
      rules.insert_or_assign(prefix, static_cast<SourceVerdict>(1 + random() % 3));
    }
    const HostSources sources{rules};
    const auto check = [&](std::uint32_t address) {
      auto wanted = SourceVerdict::unknown;
      int longest = -1;
      for (const auto& [prefix, verdict] : rules) {
        if (prefix.covers(address) && prefix.length > longest) {
          longest = prefix.length;
          wanted = verdict;
        }
      }
      ASSERT_EQ(sources.of(address), wanted) << base::address_to_string(address) << " in round " << round;
    };
    for (const auto& [prefix, verdict] : rules) {
      for (const std::uint32_t at : {prefix.address - 1, prefix.address, prefix.last(), prefix.last() + 1}) {
        ASSERT_NO_FATAL_FAILURE(check(at));
      }
    }
    for (int i = 0; i < 100; ++i) {
      ASSERT_NO_FATAL_FAILURE(check(static_cast<std::uint32_t>(random())));
    }
  }
  EXPECT_EQ(HostSources{}.of(0x08080808), SourceVerdict::unknown);
}

TEST(HostSources, OfEqualPrefixesTheLastOneCounts) {
  HostSources::Rules rules;
  rules.add_zone({{0, 0}, {0xac10'0000, 12}}, false);
  rules.allow({{0xac10'0000, 12}, {0x0a00'0100, 24}});
  rules.add_own({0x0a00'0104});
  const HostSources sources{rules};
  EXPECT_EQ(sources.of(0xac10'0001), SourceVerdict::allowed);
  EXPECT_EQ(sources.of(0x0a00'0101), SourceVerdict::allowed);
  EXPECT_EQ(sources.of(0x0a00'0104), SourceVerdict::martian);
  EXPECT_EQ(sources.of(0x0808'0808), SourceVerdict::spoofed);
  EXPECT_EQ(sources.of(0x0000'0000), SourceVerdict::martian);
  EXPECT_EQ(sources.of(0x7f00'0001), SourceVerdict::martian);
  EXPECT_EQ(sources.of(0xe000'0001), SourceVerdict::martian);
  EXPECT_EQ(sources.of(0xffff'ffff), SourceVerdict::martian);
}

}  // namespace
}  // namespace sekisho::test
