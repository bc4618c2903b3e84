// SPDX-License-Identifier: BSD-3-Clause
// What bytes hold before any format is asked: encodings, compression; and text that people paste.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "control/formats/compression.hpp"
#include "control/formats/reader.hpp"
#include "control/formats/service_tags.hpp"
#include "tests/unit/temporary_folder.hpp"

namespace sekisho::formats {
namespace {

using testing::HasSubstr;
using namespace std::string_literals;

constexpr std::string_view table =
    "{\"name\": \"rt\", \"routes\": [{\"name\": \"all\", \"addressPrefix\": \"0.0.0.0/0\", \"nextHopType\": "
    "\"Internet\"}]}\r\n";

auto utf16(std::string_view text, bool little, bool mark) -> std::string {
  std::string result = !mark ? "" : little ? "\xff\xfe" : "\xfe\xff";
  for (const char c : text)
    result += little ? std::string{c, '\0'} : std::string{'\0', c};
  return result;
}

auto reason(const test::TemporaryFolder& folder, const std::string& bytes) -> std::string {
  const auto path = folder.write("file", bytes);
  const auto file = read_routes(path);
  return file ? "read " + std::to_string(file->routes.size())
              : file.error().to_string().substr(path.string().size());
}

TEST(Content, OfEveryEncodingWithAMarkIsRead) {
  const test::TemporaryFolder folder;
  for (const auto& text :
       {std::string{table}, "0.0.0.0/0 Internet\r\n"s, "default via 10.0.2.1 dev eth0\r\n"s}) {
    EXPECT_EQ(reason(folder, text), "read 1") << text;
    EXPECT_EQ(reason(folder, "\xef\xbb\xbf" + text), "read 1") << text;
    EXPECT_EQ(reason(folder, utf16(text, true, true)), "read 1") << text;
    EXPECT_EQ(reason(folder, utf16(text, false, true)), "read 1") << text;
    EXPECT_EQ(reason(folder, utf16(text, true, false)),
              ": is UTF-16 without a byte order mark: save it as UTF-8");
    EXPECT_EQ(reason(folder, utf16(text, false, false)),
              ": is UTF-16 without a byte order mark: save it as UTF-8");
  }
  EXPECT_EQ(reason(folder, "\xff\xfe\0\0{\0\0\0"s), ": is UTF-32: save it as UTF-8");
  EXPECT_THAT(reason(folder, "\xff\xfe{\0x"s), HasSubstr(": begins like UTF-16, and byte "));
  const auto tags = read_service_tags(folder.write(
      "tags", utf16(R"({"values": [{"name": "A", "properties": {"addressPrefixes": ["192.0.2.0/24"]}}]})",
                    true, true)));
  ASSERT_TRUE(tags) << tags.error().to_string();
  EXPECT_EQ(tags->tags.size(), 1);
}

// The beginning of an xz file: its header, and a block's.
const std::string xz =
    "\xfd\x37\x7a\x58\x5a\x00\x00\x01\x69\x22\xde\x36\x02\x00\x21\x01\x16\x00\x00\x00\x74\x2f\xe5\xa3\x01\x00"s;

TEST(Content, ThatIsCompressedAndCutOrDamagedIsRefused) {
  const test::TemporaryFolder folder;
  EXPECT_EQ(reason(folder, xz), ": is compressed with xz and ends too early");
  EXPECT_THAT(reason(folder, xz.substr(0, 8) + std::string(64, 'x')),
              HasSubstr(": is compressed with xz and damaged"));
  EXPECT_THAT(reason(folder, "\x28\xb5\x2f\xfd\x24"),
              HasSubstr(": is compressed with zstd and ends too early"));
  EXPECT_THAT(reason(folder, "\x28\xb5\x2f\xfd\x20\x05\x07\x00\x00 a block of the type that is reserved"s),
              HasSubstr(": is compressed with zstd and damaged"));
  EXPECT_EQ(reason(folder, "PK\3\4 and more"),
            ": is a zip archive: unpack it, and name the file that is in it");
}

// A whole xz file: "10.0.0.0/8 a\n".
const std::string whole_xz =
    xz +
    "\x0c\x31\x30\x2e\x30\x2e\x30\x2e\x30\x2f\x38\x20\x61\x0a\x00\x00\x00\x00\x66\xb0\xdd\xfb\x00\x01\x21\x0d\x75\xdc\xa8\xd2\x90\x42\x99\x0d\x01\x00\x00\x00\x00\x01\x59\x5a"s;

TEST(Content, BehindAnXzStreamIsAnotherOrPadding) {
  const test::TemporaryFolder folder;
  EXPECT_EQ(reason(folder, whole_xz), "read 1");
  // The .xz File Format, 2.2: "The size of Stream Padding MUST be a multiple of four bytes".
  EXPECT_EQ(reason(folder, whole_xz + std::string(4, '\0')), "read 1");
  EXPECT_EQ(reason(folder, whole_xz + std::string(8, '\0') + whole_xz), "read 2");
  for (const auto& behind : {"x"s, "garbage"s, std::string(40, 'x'), std::string(3, '\0'), "\0\0\0\0x"s})
    EXPECT_EQ(reason(folder, whole_xz + behind),
              ": is compressed with xz, and something else stands behind it")
        << behind;
  EXPECT_EQ(reason(folder, whole_xz + whole_xz.substr(0, 3)), ": is compressed with xz and ends too early");
  EXPECT_EQ(reason(folder, whole_xz + whole_xz.substr(0, 40)), ": is compressed with xz and ends too early");
  EXPECT_EQ(reason(folder, whole_xz.substr(0, 60)), ": is compressed with xz and ends too early");
}

TEST(Content, OfPeopleNamesTheCharacterThatIsWrong) {
  const test::TemporaryFolder folder;
  EXPECT_EQ(reason(folder,
                   "10.0.0.0/8 a\n10.1.0.0/16\xc2\xa0"
                   "a\n"),
            ":2: U+00A0 (no-break space), which is not ASCII text, in column 12");
  EXPECT_EQ(reason(folder,
                   "10.0.0.0\xe2\x80\x93"
                   "8 a\n"),
            ":1: U+2013 (en dash), which is not ASCII text, in column 9");
  EXPECT_EQ(reason(folder, "10.0.0.0/8\xe2\x80\x8b a\n"),
            ":1: U+200B (zero width space), which is not ASCII text, in column 11");
  EXPECT_EQ(reason(folder, "10.0.0.0/8 \xff\n"), ":1: byte 0xff, which is not ASCII text, in column 12");
}

// Nobody splits it into words to know what it is.
TEST(Content, OfOneLongLineIsRefusedAtOnce) {
  const test::TemporaryFolder folder;
  std::string commas(std::size_t{1} << 26, ',');
  EXPECT_EQ(reason(folder, commas), ":1: is longer than 1000 bytes");
  std::ranges::fill(commas, ' ');
  EXPECT_EQ(reason(folder, commas), ":1: is longer than 1000 bytes");
}

TEST(Content, OfPeopleMayHaveDefaultAndCommas) {
  const test::TemporaryFolder folder;
  const auto routes = [&](std::string_view text) {
    const auto file = read_routes(folder.write("file", std::string{text}));
    return !file ? file.error().to_string()
                 : base::to_string(file->routes.at(0).prefix) + " " +
                       to_string(file->next_hops.at(file->routes[0].next_hop));
  };
  EXPECT_EQ(routes("default 10.0.2.10\n"), "0.0.0.0/0 10.0.2.10");
  EXPECT_EQ(routes("203.0.113.0/24,10.0.2.10\n"), "203.0.113.0/24 10.0.2.10");
  EXPECT_EQ(routes("203.0.113.0/24,10.0.2.10,10.0.2.20\n"), "203.0.113.0/24 10.0.2.10,10.0.2.20");
  EXPECT_THAT(routes("203.0.113.0,10.0.2.10\n"), HasSubstr("the prefix length is missing"));
}

}  // namespace
}  // namespace sekisho::formats
