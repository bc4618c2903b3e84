// SPDX-License-Identifier: BSD-3-Clause
// All ways to look an address up agree, in both widths of entries and for every count.
#include "dataplane/fib/lookup.hpp"

#include <gtest/gtest.h>

#include <random>

#include "common/base/prefix.hpp"
#include "dataplane/fib/renderer.hpp"
#include "tests/unit/fib/oracle.hpp"

namespace sekisho::fib {
namespace {

using testing::make_prefix;
using testing::Oracle;

template <typename Format>
class LookupTest : public ::testing::Test {
 protected:
  // Prefixes of all lengths, crowded in a few /16s, and answers at both ends of the entry's range.
  void SetUp() override {
    std::vector<Route> routes{{make_prefix(0, 1), 1}, {make_prefix(0x8000'0000, 1), Format::max_value}};
    for (unsigned i = 0; i < 3'000; ++i) {
      routes.push_back({make_prefix(random_address(), 9 + static_cast<unsigned>(random()) % 24),
                        static_cast<Value>(1 + random() % Format::max_value)});
    }
    oracle.apply(routes);
    const auto sorted = oracle.routes();
    std::vector<PackedRoute> packed;
    for (const Route& route : sorted) {
      packed.emplace_back(route.prefix, route.value);
    }
    shadow.apply(packed);
    layout = Layout<Format>::create(4'000);
    ASSERT_NE(layout, nullptr);
    ASSERT_TRUE(layout->provide_extension_tables(4'000));
    Renderer<Format>{shadow, *layout}.render(base::Prefix{});
  }

  // Half of them where the prefixes are.
  std::uint32_t random_address() {
    const auto address = static_cast<std::uint32_t>(random());
    return address % 2 == 0 ? address : 0xfffe'0000 | (address >> 8 & 0x1'ffff);
  }

  void expect_agreement(const std::vector<std::uint32_t>& addresses) {
    const auto count = static_cast<unsigned>(addresses.size());
    constexpr Value untouched = 0xffff;
    std::vector<Value> expected;
    for (const auto address : addresses) {
      expected.push_back(oracle.lookup(address));
    }
    expected.push_back(untouched);  // nothing is written behind the end
    const auto expect = [&](const char* way, const auto& look_up) {
      std::vector<Value> found(addresses.size() + 1, untouched);
      look_up(layout->view(), addresses.data(), found.data(), count);
      EXPECT_EQ(found, expected) << way << ", " << count << " addresses";
    };
    expect("bulk", lookup_bulk<Format>);
    if (count > bulk) {
      return;
    }
    expect("blocks", lookup_blocks<Format>);
    expect("by shortcut", lookup_by_shortcut<Format>);
    if (have_avx512()) {
      expect("AVX-512", [](const auto& view, const auto* from, auto* to, auto n) {
        lookup_blocks_avx512(view, from, to, n);
      });
    }
  }

  std::mt19937_64 random{7};
  Oracle oracle;
  Shadow shadow;
  std::unique_ptr<Layout<Format>> layout;
};

using Formats = ::testing::Types<Narrow, Wide>;
TYPED_TEST_SUITE(LookupTest, Formats);

TYPED_TEST(LookupTest, AgreesForEveryCount) {
  for (unsigned count = 0; count <= 3 * bulk + 1; ++count) {
    std::vector<std::uint32_t> addresses(count);
    for (auto& address : addresses) {
      address = this->random_address();
    }
    this->expect_agreement(addresses);
  }
}

// The first addresses decide how the others are looked up.
TYPED_TEST(LookupTest, AgreesWhereNearlyAllAreLedOn) {
  for (unsigned round = 0; round < 200; ++round) {
    std::vector<std::uint32_t> addresses(bulk);
    for (auto& address : addresses) {
      address = 0xfffe'0000 | (static_cast<std::uint32_t>(this->random()) & 0x1'ffff);
    }
    addresses[this->random() % bulk] = static_cast<std::uint32_t>(this->random());
    this->expect_agreement(addresses);
  }
}

TYPED_TEST(LookupTest, AgreesAtBothEndsOfTheSpace) {
  this->expect_agreement({0, 1, 255, 256, 0x7fff'ffff, 0x8000'0000, 0xffff'fffe, 0xffff'ffff});
  this->expect_agreement(std::vector<std::uint32_t>(bulk, 0xffff'ffff));
}

// A shortcut answers exactly where all of its blocks have one answer.
TYPED_TEST(LookupTest, ShortcutsSayWhatTheirBlocksSay) {
  const auto& view = this->layout->view();
  unsigned answering = 0;
  for (std::uint32_t i = 0; i < shortcuts; ++i) {
    const auto* const group = view.tbl24 + std::size_t{i} * blocks_per_shortcut;
    const bool uniform =
        std::all_of(group, group + blocks_per_shortcut, [&](auto entry) { return entry == *group; }) &&
        !TypeParam::leads_on(*group);
    ASSERT_EQ(view.shortcut[i], uniform ? *group : TypeParam::on) << i;
    answering += uniform;
  }
  EXPECT_GT(answering, 0U);
  EXPECT_LT(answering, shortcuts);
}

}  // namespace
}  // namespace sekisho::fib
