// SPDX-License-Identifier: BSD-3-Clause
#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <string>
#include <vector>

#include "common/base/prefix.hpp"
#include "control/formats/text.hpp"
#include "tests/unit/formats/files.hpp"

namespace sekisho::formats {
namespace {

using namespace std::string_literals;

struct Accepted {
  std::string why;
  std::string text;
  std::vector<std::string> routes;
};

TEST(ParseText, Accepts) {
  const std::vector<Accepted> cases{
      {"an empty file is an empty table", "", {}},
      {"only comments and blank lines", "# nothing\n\n  \t \n#", {}},
      {"one line", "10.0.0.0/8 firewall\n", {"1 10.0.0.0/8 firewall"}},
      {"no newline at the end", "10.0.0.0/8 firewall", {"1 10.0.0.0/8 firewall"}},
      {"tabs, blanks before and behind", " \t10.0.0.0/8\t \tfirewall \t\n", {"1 10.0.0.0/8 firewall"}},
      {"lines that end as in DOS",
       "10.0.0.0/8 a\r\n\r\n11.0.0.0/8\r\n# x\r\n12.0.0.0/8 b\r",
       {"1 10.0.0.0/8 a", "3 11.0.0.0/8 -", "5 12.0.0.0/8 b"}},
      {"no next hop, and the one that says so",
       "10.0.0.0/8\n11.0.0.0/8 -\n",
       {"1 10.0.0.0/8 -", "2 11.0.0.0/8 -"}},
      {"comments behind",
       "10.0.0.0/8 a # x\n11.0.0.0/8#y\n12.0.0.0/8 b#z z z\n",
       {"1 10.0.0.0/8 a", "2 11.0.0.0/8 -", "3 12.0.0.0/8 b"}},
      {"a comment in another language",
       "# \xe9\x96\xa2\xe6\x89\x80\n10.0.0.0/8 a # \xc3\xa9\n",
       {"2 10.0.0.0/8 a"}},
      {"an address, and None, however it is written",
       "10.0.0.0/8 10.0.2.10\n11.0.0.0/8 NONE\n",
       {"1 10.0.0.0/8 10.0.2.10", "2 11.0.0.0/8 None"}},
      {"the ends of the space",
       "0.0.0.0/0 a\n255.255.255.255/32 a\n",
       {"1 0.0.0.0/0 a", "2 255.255.255.255/32 a"}},
      {"the same prefix twice, in order",
       "10.0.0.0/8 a\n10.0.0.0/8 b\n10.0.0.0/8 a\n",
       {"1 10.0.0.0/8 a", "2 10.0.0.0/8 b", "3 10.0.0.0/8 a"}},
      {"the longest line", "10.0.0.0/8 a #" + std::string(986, 'x') + "\r\n", {"1 10.0.0.0/8 a"}},
  };
  for (const auto& test : cases) {
    const auto result = parse_text(test.text, "routes.txt");
    ASSERT_TRUE(result) << test.why << ": " << result.error().to_string();
    EXPECT_EQ(describe(*result), test.routes) << test.why;
  }
}

TEST(ParseText, KeepsEachNextHopOnce) {
  const auto result =
      parse_text("10.0.0.0/8 a\n11.0.0.0/8 b\n12.0.0.0/8 a\n13.0.0.0/8\n14.0.0.0/8 -\n", "routes.txt");
  ASSERT_TRUE(result);
  std::vector<std::string> next_hops;
  std::ranges::transform(result->next_hops, std::back_inserter(next_hops),
                         [](const NextHop& each) { return to_string(each); });
  EXPECT_EQ(next_hops, (std::vector<std::string>{"a", "b", "-"}));
}

struct Refused {
  std::string text;
  std::string error;  // the beginning of it
};

TEST(ParseText, RefusesWithFileLineAndReason) {
  const std::vector<Refused> cases{
      {"10.0.0.1/8 a\n", "routes.txt:1: host bits are set (10.0.0.1/8; did you mean 10.0.0.0/8?)"},
      {"# x\n\n10.0.0.0/8 a\n10.1.2.3/31 a",
       "routes.txt:4: host bits are set (10.1.2.3/31; did you mean 10.1.2.2/31?)"},
      {"10.0.0.0/8 a\r\n11.0.0.1/8 a\r\n", "routes.txt:2: host bits are set"},
      {"10.0.0.0 a\n", "routes.txt:1: "},
      {"10.0.0.0/33 a\n", "routes.txt:1: "},
      {"10.0.0/8 a\n", "routes.txt:1: "},
      {"010.0.0.0/8 a\n", "routes.txt:1: "},
      {"256.0.0.0/8 a\n", "routes.txt:1: "},
      {"2001:db8::/32 a\n", "routes.txt:1: "},
      {"firewall 10.0.0.0/8\n", "routes.txt:1: "},
      {"10.0.0.0/8 a b\n", "routes.txt:1: more than a prefix and a next hop"},
      {"10.0.0.0/8 a 11.0.0.0/8 b\n", "routes.txt:1: more than a prefix and a next hop"},
      {"Source  State\n10.0.0.0/8 a b\n", "routes.txt:1: \"Source\" is not an IPv4 prefix"},
      {"\n\n10.0.0.0/8 fire\0wall\n"s, "routes.txt:3: a NUL byte: this is not a text file"},
      {"\0"s, "routes.txt:1: a NUL byte: this is not a text file"},
      {"# a comment\0\n"s, "routes.txt:1: a NUL byte: this is not a text file"},
      {"10.0.0.0/8 a\n# \x1b[2J\n", "routes.txt:2: byte 0x1b, which is not ASCII text"},
      {"10.0.0.0/8 caf\xc3\xa9\n", "routes.txt:1: U+00E9, which is not ASCII text, in column 15"},
      {"10.0.0.0/8\xc2\xa0"
       "a\n",
       "routes.txt:1: U+00A0 (no-break space), which is not ASCII text, in column 11"},
      {"\xff\xfe"
       "1\0"
       "0\0"s,
       "routes.txt:1: byte 0xff, which is not ASCII text"},
      {"\xef\xbb\xbf"
       "10.0.0.0/8 a\n",
       "routes.txt:1: U+FEFF (byte order mark), which is not ASCII text, in column 1"},
      {"10.0.0.0/8 a\r11.0.0.0/8 b\r", "routes.txt:1: a carriage return in the middle of a line"},
      {"10.0.0.0/8\va\n", "routes.txt:1: byte 0x0b, which is not ASCII text"},
      {"10.0.0.0/8 a\x7f\n", "routes.txt:1: byte 0x7f, which is not ASCII text"},
      {"10.0.0.0/8 a\n" + std::string(1001, '#') + "\n", "routes.txt:2: is longer than 1000 bytes"},
      {"10.0.0.0/8 a\n" + std::string(1001, '#'), "routes.txt:2: is longer than 1000 bytes"},
      {std::string(1 << 20, '1'), "routes.txt:1: is longer than 1000 bytes"},
  };
  for (const auto& test : cases) {
    const auto result = parse_text(test.text, "routes.txt");
    ASSERT_FALSE(result) << test.error;
    EXPECT_EQ(result.error().to_string().substr(0, test.error.size()), test.error);
    EXPECT_GT(result.error().to_string().size(), std::string{"routes.txt:1: "}.size());
  }
}

}  // namespace
}  // namespace sekisho::formats
