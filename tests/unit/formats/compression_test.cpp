// SPDX-License-Identifier: BSD-3-Clause
// Compressed files, whole, damaged, and larger than they may be.
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "control/formats/compression.hpp"
#include "control/formats/reader.hpp"
#include "tests/unit/formats/files.hpp"
#include "tests/unit/temporary_folder.hpp"

namespace sekisho::formats {
namespace {

TEST(ReadText, TellsGzipByContentNotByName) {
  const test::TemporaryFolder folder;
  const auto compressed = gzip("10.0.0.0/8 a\n11.0.0.0/8 b\n");
  const std::vector<std::string> routes{"1 10.0.0.0/8 a", "2 11.0.0.0/8 b"};
  for (const auto* name : {"routes.gz", "routes.txt"}) {
    const auto result = read_routes(folder.write(name, compressed));
    ASSERT_TRUE(result) << result.error().to_string();
    EXPECT_EQ(describe(*result), routes);
  }
  const auto plain = read_routes(folder.write("plain.gz", "10.0.0.0/8 a\n11.0.0.0/8 b\n"));
  ASSERT_TRUE(plain) << plain.error().to_string();
  EXPECT_EQ(describe(*plain), routes);
}

TEST(ReadText, ReadsAllMembersOfAGzipFile) {
  const test::TemporaryFolder folder;
  const auto result = read_routes(folder.write("routes.gz", gzip("10.0.0.0/8 a\n11.0.0") + gzip(".0/8 b\n")));
  ASSERT_TRUE(result) << result.error().to_string();
  EXPECT_EQ(describe(*result), (std::vector<std::string>{"1 10.0.0.0/8 a", "2 11.0.0.0/8 b"}));
}

TEST(ReadText, NamesTheLineOfACompressedFile) {
  const test::TemporaryFolder folder;
  const auto file = folder.write("routes.gz", gzip("10.0.0.0/8 a\n11.0.0.1/8 b\n"));
  const auto result = read_routes(file);
  ASSERT_FALSE(result);
  EXPECT_TRUE(result.error().to_string().starts_with(file.string() + ":2: host bits are set"))
      << result.error().to_string();
}

TEST(ReadText, RefusesDamagedGzip) {
  const test::TemporaryFolder folder;
  std::string text;
  for (int i = 0; i < 5000; ++i)
    text += "10." + std::to_string(i % 256) + "." + std::to_string(i * 7 % 256) + ".0/24 a\n";
  const auto whole = gzip(text);
  ASSERT_GT(whole.size(), 1000U);
  for (const std::size_t size : {std::size_t{2}, std::size_t{9}, std::size_t{10}, whole.size() / 2,
                                 whole.size() - 8, whole.size() - 1}) {
    const auto result = read_routes(folder.write("short.gz", whole.substr(0, size)));
    ASSERT_FALSE(result) << size;
    EXPECT_EQ(result.error().reason, "is compressed with gzip and ends too early") << size;
  }
  auto damaged = whole;
  damaged[damaged.size() - 5] ^= 1;  // of the CRC-32
  const auto result = read_routes(folder.write("damaged.gz", damaged));
  ASSERT_FALSE(result);
  EXPECT_TRUE(result.error().reason.starts_with("is compressed with gzip and damaged"))
      << result.error().reason;
  const auto behind = read_routes(folder.write("behind.gz", whole + "10.0.0.0/8 a\n"));
  EXPECT_FALSE(behind);
}

TEST(Inflate, StopsAtTheLimit) {
  const std::string zeros(1 << 20, '\0');
  const auto bomb = gzip(zeros);
  ASSERT_LT(bomb.size(), 2000U);
  const auto exactly = formats::inflate(bomb, "bomb.gz", zeros.size());
  ASSERT_TRUE(exactly) << exactly.error().to_string();
  EXPECT_EQ(*exactly, zeros);
  for (const std::size_t limit : {zeros.size() - 1, std::size_t{100'000}, std::size_t{0}}) {
    const auto refused = formats::inflate(bomb, "bomb.gz", limit);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().to_string(),
              "bomb.gz: decompresses to more than " + std::to_string(limit) + " bytes");
  }
  EXPECT_FALSE(formats::inflate(bomb + bomb, "bomb.gz", zeros.size())) << "members count together";
}

TEST(Bunzip2, ReadsAllStreams) {
  const auto bytes = bzip2("10.0.0.0/8 a\n11.0.0") + bzip2("") + bzip2(".0/8 b\n");
  EXPECT_TRUE(formats::is_bzip2(bytes));
  EXPECT_TRUE(formats::is_bzip2(bzip2("")));
  EXPECT_EQ(formats::bunzip2(bytes, "routes.bz2"), "10.0.0.0/8 a\n11.0.0.0/8 b\n");
  EXPECT_FALSE(formats::is_bzip2("BZh9 is how this text begins"));
}

TEST(Bunzip2, RefusesWhatIsCutOrDamaged) {
  const auto whole = bzip2("10.0.0.0/8 a\n") + bzip2("11.0.0.0/8 a\n");
  const auto first = bzip2("10.0.0.0/8 a\n").size();
  for (std::size_t size = 10; size < whole.size(); ++size) {
    const auto result = formats::bunzip2(whole.substr(0, size), "short.bz2");
    ASSERT_EQ(result.has_value(), size == first) << size;
    if (!result) {
      EXPECT_EQ(result.error().to_string(), "short.bz2: is compressed with bzip2 and ends too early") << size;
    }
  }
  auto damaged = whole;
  damaged[20] = static_cast<char>(damaged[20] ^ 1);
  for (const auto& bytes : {damaged, whole + "behind"}) {
    const auto result = formats::bunzip2(bytes, "damaged.bz2");
    ASSERT_FALSE(result);
    EXPECT_TRUE(result.error().reason.starts_with("is compressed with bzip2 and damaged (error -"))
        << result.error().reason;
  }
}

TEST(Bunzip2, StopsAtTheLimit) {
  const std::string zeros(1 << 20, '\0');
  const auto bomb = bzip2(zeros);
  ASSERT_LT(bomb.size(), 2000U);
  EXPECT_EQ(formats::bunzip2(bomb, "bomb.bz2", zeros.size()), zeros);
  for (const auto& [bytes, limit] :
       {std::pair{bomb, zeros.size() - 1}, {bomb, std::size_t{0}}, {bomb + bomb, zeros.size()}}) {
    const auto refused = formats::bunzip2(bytes, "bomb.bz2", limit);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().to_string(),
              "bomb.bz2: decompresses to more than " + std::to_string(limit) + " bytes");
  }
}

}  // namespace
}  // namespace sekisho::formats
