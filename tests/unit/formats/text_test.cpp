// SPDX-License-Identifier: BSD-3-Clause
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/base/file.hpp"
#include "common/base/prefix.hpp"
#include "common/base/watch.hpp"
#include "control/config/config.hpp"
#include "control/formats/compression.hpp"
#include "control/formats/reader.hpp"
#include "control/formats/service_tags.hpp"
#include "control/formats/text.hpp"
#include "tests/unit/temporary_folder.hpp"

namespace sekisho::formats {
namespace {

using namespace std::string_literals;

// Each route as "line PREFIX NEXT-HOP".
auto describe(const RouteFile& text) -> std::vector<std::string> {
  std::vector<std::string> result;
  for (const auto& route : text.routes)
    result.push_back(std::to_string(route.line) + " " + base::to_string(route.prefix) + " " +
                     to_string(text.next_hops.at(route.next_hop)));
  return result;
}

auto gzip(std::string_view text) -> std::string {
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, 9, Z_DEFLATED, 16 + MAX_WBITS, 9, Z_DEFAULT_STRATEGY), Z_OK);
  std::string bytes(deflateBound(&stream, text.size()) + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(bytes.data());
  stream.avail_out = static_cast<uInt>(bytes.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  bytes.resize(stream.total_out);
  deflateEnd(&stream);
  return bytes;
}

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
      {"Source  State  Address Prefix\n",
       "routes.txt:1: is Azure's table form: save JSON (az ... --output json)"},
      {"\n\n10.0.0.0/8 fire\0wall\n"s, "routes.txt:3: a NUL byte: this is not a text file"},
      {"\0"s, "routes.txt:1: a NUL byte: this is not a text file"},
      {"# a comment\0\n"s, "routes.txt:1: a NUL byte: this is not a text file"},
      {"10.0.0.0/8 a\n# \x1b[2J\n", "routes.txt:2: byte 0x1b, which is not ASCII text"},
      {"10.0.0.0/8 caf\xc3\xa9\n", "routes.txt:1: byte 0xc3, which is not ASCII text"},
      {"10.0.0.0/8\xc2\xa0"
       "a\n",
       "routes.txt:1: byte 0xc2, which is not ASCII text"},
      {"\xff\xfe"
       "1\0"
       "0\0"s,
       "routes.txt:1: byte 0xff, which is not ASCII text"},
      {"\xef\xbb\xbf"
       "10.0.0.0/8 a\n",
       "routes.txt:1: starts with a byte order mark"},
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

TEST(ReadFile, StopsAtTheLimit) {
  const test::TemporaryFolder folder;
  const auto file = folder.write("file", "0123456789");
  EXPECT_EQ(base::read_file(file, 10), "0123456789");
  const auto refused = base::read_file(file, 9);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().to_string(), file.string() + ": holds more than 9 bytes");
  // Without room for it: what is too large is not read first.
  const auto sparse = folder.path() / "sparse";
  std::ofstream{sparse}.put('x');
  std::filesystem::resize_file(sparse, std::uintmax_t{1} << 40);
  const auto huge = read_routes(sparse);
  ASSERT_FALSE(huge);
  EXPECT_EQ(huge.error().to_string(), sparse.string() + ": holds more than 1073741824 bytes");
}

TEST(ReadFile, ReadsTheKernelsOwnWhichHaveNoSize) {
  const auto version = base::read_file("/proc/version");
  ASSERT_TRUE(version) << version.error().to_string();
  EXPECT_FALSE(version->empty());
}

TEST(ReadFile, RefusesWhatIsNoRegularFileWithoutWaitingForIt) {
  const test::TemporaryFolder folder;
  const auto pipe = folder.path() / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  const auto link = folder.path() / "link";
  std::filesystem::create_symlink(pipe, link);
  const auto socket = folder.path() / "socket";
  sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
  socket.native().copy(address.sun_path, sizeof address.sun_path - 1);
  const int listener = ::socket(AF_UNIX, SOCK_STREAM, 0);
  ASSERT_EQ(::bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  for (const auto& [file, kind] :
       std::vector<std::pair<std::filesystem::path, std::string>>{{pipe, "a pipe (FIFO)"},
                                                                  {link, "a pipe (FIFO)"},
                                                                  {socket, "a socket"},
                                                                  {"/dev/zero", "a device"},
                                                                  {"/dev/null", "a device"},
                                                                  {folder.path(), "a directory"}}) {
    const auto refused = read_routes(file);
    ASSERT_FALSE(refused) << file;
    EXPECT_TRUE(refused.error().to_string().starts_with(file.string() + ": is " + kind))
        << refused.error().to_string();
    EXPECT_FALSE(read_service_tags(file)) << file;
    EXPECT_FALSE(config::read(file)) << file;
  }
  ::close(listener);
}

TEST(ReadFile, ReadsAgainWhatIsWrittenMeanwhile) {
  const test::TemporaryFolder folder;
  const auto file = folder.write("routes.txt", std::string(1 << 20, '\n') + "10.0.0.0/8 a\n");
  bool first = true;
  // In place, and of the same size: only its time tells.
  const auto rewrite = [&](std::string_view /*doing*/, double /*share*/) {
    if (std::exchange(first, false)) {
      static_cast<void>(folder.write("routes.txt", "10.9.0.0/16 b\n" + std::string((1 << 20) - 1, '\n')));
      std::filesystem::last_write_time(file,
                                       std::filesystem::last_write_time(file) + std::chrono::seconds{1});
    }
  };
  const auto routes = read_routes(file, {.progress = rewrite});
  ASSERT_TRUE(routes) << routes.error().to_string();
  EXPECT_EQ(describe(*routes), std::vector<std::string>{"1 10.9.0.0/16 b"});
}

TEST(ReadFile, RefusesWhatIsWrittenWithoutEnd) {
  const test::TemporaryFolder folder;
  const auto file = folder.write("routes.txt", "10.0.0.0/8 a\n");
  const auto append = [&](std::string_view /*doing*/, double /*share*/) {
    std::ofstream{file, std::ios::app} << "11.0.0.0/8 a\n";
  };
  const auto routes = base::read_file(file, base::max_bytes, append);
  ASSERT_FALSE(routes);
  EXPECT_EQ(routes.error().to_string(),
            file.string() + ": is being written: it changed each of the 5 times it was read");
}

TEST(ReadFile, TakesAFileThatIsReplacedMeanwhileWhole) {
  const test::TemporaryFolder folder;
  const auto file = folder.write("routes.txt", "10.0.0.0/8 a\n");
  const auto replace = [&](std::string_view /*doing*/, double /*share*/) {
    std::filesystem::rename(folder.write("new.txt", "11.0.0.0/8 b\n"), file);
  };
  EXPECT_EQ(base::read_file(file, base::max_bytes, replace), "10.0.0.0/8 a\n");
}

TEST(ReadFile, TellsWhoWatchesForWhichFileItWaits) {
  const test::TemporaryFolder folder;
  const auto file = folder.write("routes.txt", "10.0.0.0/8 a\n");
  base::Watch watch;
  std::optional<std::filesystem::path> seen;
  {
    const base::Watched watched{watch};
    ASSERT_TRUE(
        base::read_file(file, base::max_bytes, [&](std::string_view, double) { seen = watch.overdue({}); }));
  }
  EXPECT_EQ(seen, file);
  EXPECT_EQ(watch.overdue({}), std::nullopt);
}

TEST(ReadText, RefusesWhatIsNoFile) {
  const test::TemporaryFolder folder;
  const auto missing = read_routes(folder.path() / "missing.txt");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().to_string(),
            (folder.path() / "missing.txt").string() + ": cannot be opened: No such file or directory");
  const auto directory = read_routes(folder.path());
  ASSERT_FALSE(directory);
  EXPECT_EQ(directory.error().to_string(), folder.path().string() + ": is a directory");
}

// A table of the size of the Internet's; every line must arrive.
TEST(ReadText, ReadsALargeTable) {
  constexpr unsigned count = 900'000;
  std::string text;
  for (unsigned i = 0; i < count; ++i)
    text += base::to_string({(1U << 24) + (i << 8), 24}) + "\thop-" + std::to_string(i % 16) + "\n";
  const test::TemporaryFolder folder;
  const auto result = read_routes(folder.write("large.gz", gzip(text)));
  ASSERT_TRUE(result) << result.error().to_string();
  ASSERT_EQ(result->routes.size(), count);
  EXPECT_EQ(result->next_hops.size(), 16U);
  for (unsigned i = 0; i < count; ++i) {
    const auto& route = result->routes[i];
    ASSERT_EQ(route.prefix, (base::Prefix{(1U << 24) + (i << 8), 24}));
    ASSERT_EQ(route.line, i + 1);
    ASSERT_EQ(to_string(result->next_hops[route.next_hop]), "hop-" + std::to_string(i % 16));
  }
}

// Tables of the real Internet stand beside the source tree on some machines. Where they do, they must be
// readable.
TEST(ReadText, ReadsTheTablesOfTheInternet) {
  const char* given = std::getenv("SEKISHO_DATA");
  const auto folder = given != nullptr ? std::filesystem::path{given}
                                       : std::filesystem::path{SEKISHO_FIXTURES} / "../../../shared/data";
  std::error_code code;
  for (const auto& entry : std::filesystem::directory_iterator{folder / "tables", code}) {
    if (!entry.path().string().ends_with(".tsv.gz"))
      continue;
    const auto result = read_routes(entry.path());
    ASSERT_TRUE(result) << result.error().to_string();
    const auto text = formats::inflate(*base::read_file(entry.path()), entry.path());
    ASSERT_TRUE(text);
    const auto comments = std::ranges::count(*text, '#');
    EXPECT_EQ(result->routes.size() + static_cast<std::size_t>(comments),
              static_cast<std::size_t>(std::ranges::count(*text, '\n')))
        << entry.path();
    EXPECT_GT(result->routes.size(), 1000U);
  }
}

}  // namespace
}  // namespace sekisho::formats
