// SPDX-License-Identifier: BSD-3-Clause
// Columns of few keys, against counting them one by one.
#include "dataplane/forward/tally.hpp"

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <numeric>
#include <random>

namespace sekisho::forward {
namespace {

struct Column {
  Keys keys{};
  Sizes sizes{};
  unsigned count = 0;
};

// What lies behind the first `count` is of the same few keys: it must not be counted.
Column draw(std::mt19937& random, unsigned count, unsigned distinct) {
  Column column{.count = count};
  for (unsigned at = 0; at < burst_capacity; ++at) {
    column.keys[at] = static_cast<std::uint16_t>(random() % distinct * 1'365);
    column.sizes[at] = static_cast<std::uint32_t>(60 + random() % 9'000);
  }
  return column;
}

struct Counted {
  std::uint64_t packets = 0;
  std::uint64_t bytes = 0;
  bool operator==(const Counted&) const = default;
};

TEST(Tally, CountsWhatEachPacketWouldCount) {
  std::mt19937 random(3);
  for (unsigned count = 0; count <= burst_capacity; ++count) {
    for (unsigned distinct = 1; distinct <= 4; ++distinct) {
      const Column column = draw(random, count, distinct);
      std::map<unsigned, Counted> expected;
      for (unsigned at = 0; at < count; ++at) {
        ++expected[column.keys[at]].packets;
        expected[column.keys[at]].bytes += column.sizes[at];
      }
      const auto traffic = std::make_unique<std::array<Traffic, 4'096>>();
      const auto bytes = std::accumulate(column.sizes.begin(), column.sizes.begin() + count, 0U);
      tally(*traffic, column.keys, column.sizes, count, bytes);
      for (unsigned key = 0; key < traffic->size(); ++key) {
        const Counted found{(*traffic)[key].packets.get(), (*traffic)[key].bytes.get()};
        const auto counted = expected.find(key);
        ASSERT_EQ(found, counted == expected.end() ? Counted{} : counted->second)
            << "key " << key << " of " << distinct << ", " << count << " packets";
      }
    }
  }
}

TEST(Split, SaysWhoHasWhichOfTwoKeys) {
  std::mt19937 random(4);
  unsigned of_two = 0;
  for (unsigned count = 1; count <= burst_capacity; ++count) {
    for (unsigned distinct = 1; distinct <= 3; ++distinct) {
      const Column column = draw(random, count, distinct);
      const std::map<unsigned, unsigned> keys = [&] {
        std::map<unsigned, unsigned> found;
        for (unsigned at = 0; at < count; ++at) {
          ++found[column.keys[at]];
        }
        return found;
      }();
      const Split split(column.keys, count);
      ASSERT_EQ(split.in_two(), keys.size() <= 2);
      ASSERT_EQ(alike(column.keys, count), keys.size() == 1);
      ASSERT_EQ(split.others >> 1 >> (count - 1), 0U) << "more than there are";
      for (unsigned at = 0; at < count; ++at) {
        ASSERT_EQ((split.others & bit(at)) != 0, column.keys[at] != split.first);
        ASSERT_EQ((split.seconds & bit(at)) != 0, split.others != 0 && column.keys[at] == split.second);
      }
      of_two += keys.size() == 2 ? 1 : 0;
    }
  }
  EXPECT_GT(of_two, burst_capacity / 2);
}

}  // namespace
}  // namespace sekisho::forward
