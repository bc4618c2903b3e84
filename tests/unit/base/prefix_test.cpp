// SPDX-License-Identifier: BSD-3-Clause
#include "common/base/prefix.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

namespace sekisho::base {
namespace {

using ::testing::HasSubstr;

TEST(Prefix, ParsesAddresses) {
  EXPECT_EQ(parse_address("0.0.0.0"), 0U);
  EXPECT_EQ(parse_address("10.0.0.1"), 0x0a000001U);
  EXPECT_EQ(parse_address("255.255.255.255"), 0xffffffffU);
}

TEST(Prefix, RefusesWhatIsNoAddress) {
  for (const std::string_view text : {"",
                                      " ",
                                      ".",
                                      "1",
                                      "1.2.3",
                                      "1.2.3.",
                                      "1.2.3.4.",
                                      "1.2.3.4.5",
                                      ".1.2.3.4",
                                      "1..2.3",
                                      "256.0.0.0",
                                      "1.2.3.256",
                                      "1.2.3.4294967297",
                                      "1.2.3.99999999999999999999",
                                      "01.2.3.4",
                                      "1.2.3.00",
                                      "1.2.3.04",
                                      "-1.2.3.4",
                                      "+1.2.3.4",
                                      "1.2.3.-4",
                                      "1.2.3.4 ",
                                      " 1.2.3.4",
                                      "1. 2.3.4",
                                      "1.2.3.4/32",
                                      "a.b.c.d",
                                      "0x1.2.3.4",
                                      "1,2,3,4",
                                      "1.2.3.4\n",
                                      "::1"}) {
    const auto address = parse_address(text);
    ASSERT_FALSE(address) << text;
    EXPECT_THAT(address.error(), HasSubstr("is not an IPv4 address"));
  }
  EXPECT_FALSE(parse_address(std::string_view{"1.2.3.4\0", 8}));
}

TEST(Prefix, ParsesPrefixes) {
  EXPECT_EQ(parse_prefix("0.0.0.0/0"), (base::Prefix{0, 0}));
  EXPECT_EQ(parse_prefix("128.0.0.0/1"), (base::Prefix{0x80000000, 1}));
  EXPECT_EQ(parse_prefix("10.0.0.0/8"), (base::Prefix{0x0a000000, 8}));
  EXPECT_EQ(parse_prefix("23.102.135.246/32"), (base::Prefix{0x176687f6, 32}));
}

TEST(Prefix, RefusesWhatIsNoPrefix) {
  for (const std::string_view text :
       {"", "/", "/8", "10.0.0/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/+8", "10.0.0.0/08",
        "10.0.0.0/8 ", "10.0.0.0 /8", "10.0.0.0/ 8", "10.0.0.0/8/8", "10.0.0.0/8.", "10.0.0.0/255.0.0.0",
        "10.0.0.0-8", "10.0.0.0/4294967304", "::/0"}) {
    EXPECT_FALSE(parse_prefix(text)) << text;
  }
}

TEST(Prefix, SaysWhatIsMeant) {
  EXPECT_EQ(parse_prefix("10.0.0.1/8").error(), "host bits are set (10.0.0.1/8; did you mean 10.0.0.0/8?)");
  EXPECT_EQ(parse_prefix("0.0.0.1/0").error(), "host bits are set (0.0.0.1/0; did you mean 0.0.0.0/0?)");
  EXPECT_EQ(parse_prefix("10.0.0.1").error(),
            "the prefix length is missing (10.0.0.1; did you mean 10.0.0.1/32?)");
  EXPECT_THAT(parse_prefix("10.0.0.0/33").error(), HasSubstr("10.0.0.0/33"));
}

TEST(Prefix, AnErrorShowsNoControlCharactersAndNoLongText) {
  const auto error = parse_prefix("\x1b[2J" + std::string(100'000, 'x')).error();
  EXPECT_LT(error.size(), 200U);
  EXPECT_EQ(error.find('\x1b'), std::string::npos);
}

TEST(Prefix, FormattingAndParsingAreInverse) {
  std::mt19937 random{1};
  for (unsigned length = 0; length <= 32; ++length) {
    for (int i = 0; i < 100; ++i) {
      Prefix prefix{.address = static_cast<std::uint32_t>(random()),
                    .length = static_cast<std::uint8_t>(length)};
      EXPECT_EQ(parse_address(address_to_string(prefix.address)), prefix.address);
      prefix.address &= prefix.mask();
      EXPECT_EQ(parse_prefix(to_string(prefix)), prefix);
    }
  }
}

TEST(Prefix, Covers) {
  const Prefix all{0, 0};
  EXPECT_TRUE(all.covers(0U));
  EXPECT_TRUE(all.covers(0xffffffffU));
  EXPECT_EQ(all.last(), 0xffffffffU);
  const Prefix ten{0x0a000000, 8};
  EXPECT_TRUE(ten.covers(0x0affffffU));
  EXPECT_FALSE(ten.covers(0x0b000000U));
  EXPECT_FALSE(ten.covers(0x09ffffffU));
  EXPECT_TRUE(ten.covers(ten));
  EXPECT_TRUE(ten.covers(base::Prefix{0x0a010000, 16}));
  EXPECT_FALSE(ten.covers(all));
  const Prefix host{0xffffffff, 32};
  EXPECT_TRUE(host.covers(0xffffffffU));
  EXPECT_FALSE(host.covers(0xfffffffeU));
  EXPECT_EQ(host.last(), 0xffffffffU);
}

TEST(Prefix, SortsInPreOrder) {
  std::vector<Prefix> prefixes{{0x0a000080, 25}, {0x0a000000, 24}, {0x80000000, 1}, {0x0a000000, 8},
                               {0, 0},           {0x0a000000, 25}, {0x0a000100, 24}};
  std::sort(prefixes.begin(), prefixes.end());
  const std::vector<Prefix> expected{{0, 0},           {0x0a000000, 8},  {0x0a000000, 24}, {0x0a000000, 25},
                                     {0x0a000080, 25}, {0x0a000100, 24}, {0x80000000, 1}};
  EXPECT_EQ(prefixes, expected);
}

}  // namespace
}  // namespace sekisho::base
