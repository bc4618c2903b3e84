// SPDX-License-Identifier: BSD-3-Clause
// A configuration in several files: which they are, how their tables become one, and that each line is named with its file.
#include "control/config/include.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <string_view>

#include "control/config/config.hpp"
#include "control/config/document.hpp"
#include "tests/unit/temporary_folder.hpp"

namespace sekisho::config {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

constexpr std::string_view whole = R"(include = ["conf.d/*.toml"]
[port.lan]
device = "net_null0"
[next_hop.gateway]
members = ["10.0.1.1"]
)";

struct Included : testing::Test {
  Included() { std::filesystem::create_directory(folder.path() / "conf.d"); }

  auto read_main(std::string_view text = whole) { return read(folder.write("sekisho.toml", text)); }
  // What reading says, without the folder's name.
  std::string refusal(std::string_view text = whole) {
    const auto config = read_main(text);
    return config ? "" : folder.shorten(config.error().to_string());
  }
  auto found(const std::string& pattern) {
    const auto files = find_included(folder.path() / "sekisho.toml", pattern, {});
    std::vector<std::string> result;
    if (!files)
      return std::vector{"refused: " + folder.shorten(files.error())};
    for (const auto& file : *files)
      result.push_back(folder.shorten(file.native()));
    return result;
  }

  test::TemporaryFolder folder;
};

TEST_F(Included, TablesOfSeveralFilesAreOneConfiguration) {
  folder.write("conf.d/10-wan.toml",
               "\n[port.wan]\ndevice = \"net_null1\"\n[[assert]]\nfrom = \"10.1.0.0/16\"\nto = "
               "\"192.0.2.1/32\"\nvia = \"gateway\"\n");
  folder.write("conf.d/20-zone.toml",
               "# Its first line.\n[zone.branch]\nport = [\"wan\"]\nsources = [\"10.1.0.0/16\"]\nroutes = "
               "[\n  { prefix = "
               "\"10.2.0.0/16\", next_hop = \"gateway\" },\n  \"branch.txt\",\n]\n[[assert]]\nfrom = "
               "\"zone:branch\"\nto = "
               "\"192.0.2.2/32\"\nvia = \"gateway\"\n");
  const auto config = read_main();
  ASSERT_TRUE(config) << config.error().to_string();
  EXPECT_THAT(config->include, ElementsAre("conf.d/*.toml"));
  ASSERT_EQ(config->included.size(), 2U);
  EXPECT_EQ(config->included[0].read.file, folder.path() / "conf.d/10-wan.toml");
  EXPECT_TRUE(config->included[0].read.size);
  ASSERT_EQ(config->ports.size(), 2U);
  ASSERT_EQ(config->zones.size(), 1U);
  ASSERT_EQ(config->assertions.size(), 2U);

  const auto at = [&](unsigned line) { return folder.shorten(config->at(line, "x").to_string()); };
  EXPECT_EQ(at(config->ports[0].line), "sekisho.toml:2: x");
  EXPECT_EQ(at(config->ports[1].line), "conf.d/10-wan.toml:2: x");
  EXPECT_EQ(at(config->assertions[0].line), "conf.d/10-wan.toml:4: x");
  EXPECT_EQ(at(config->zones[0].line), "conf.d/20-zone.toml:2: x");
  EXPECT_EQ(at(config->zones[0].routes.at(0).line), "conf.d/20-zone.toml:6: x");
  EXPECT_EQ(at(config->assertions[1].line), "conf.d/20-zone.toml:9: x");
  EXPECT_EQ(at(0), "sekisho.toml: x");
  // A table means the same wherever it is written.
  EXPECT_EQ(config->zones[0].routes.at(1).file, folder.path() / "branch.txt");
}

// However a file ends: without a line break, within what is not closed, with nothing in it.
TEST_F(Included, EachComplaintNamesItsFileAndLine) {
  folder.write("conf.d/10-empty.toml", "");
  folder.write("conf.d/20-short.toml", "[port.wan]\ndevice = \"net_null1\"");
  const auto with = [&](std::string_view text) {
    folder.write("conf.d/30-last.toml", text);
    return refusal();
  };
  EXPECT_EQ(with("[port.x]\n"), "conf.d/30-last.toml:1: [port.x] needs \"device\"");
  EXPECT_THAT(with("\n\n[zone.z]\nport = [\n"), HasSubstr("conf.d/30-last.toml:4: "));
  EXPECT_THAT(with("x ="), HasSubstr("conf.d/30-last.toml:1: "));
  EXPECT_THAT(with("\nnext_hops.a.members = []"),
              HasSubstr("conf.d/30-last.toml:2: \"next_hops\" is not a key of the configuration"));
  EXPECT_EQ(
      with("[port.x]\ndevice = \"net_null1\"\n"),
      "conf.d/30-last.toml:2: \"net_null1\" is the device of port wan already (conf.d/20-short.toml:2)");
  EXPECT_EQ(with("[port.x]\ndevice = \"net_null2\"\n[port.y]\ndevice = \"net_null2\"\n"),
            "conf.d/30-last.toml:4: \"net_null2\" is the device of port x already (line 2)");
  EXPECT_THAT(with("\xff"), StartsWith("conf.d/30-last.toml:1: "));
  EXPECT_EQ(with(""), "");
  EXPECT_EQ(refusal("include = [\"conf.d/*.toml\"]\n[port.lan]\n"),
            "sekisho.toml:2: [port.lan] needs \"device\"");
}

TEST_F(Included, ATableIsInOneFile) {
  const auto with = [&](std::string_view text) {
    folder.write("conf.d/a.toml", text);
    return refusal();
  };
  EXPECT_EQ(with("\n[port.lan]\nmtu = 1500\n"), "conf.d/a.toml:2: port \"lan\" is in sekisho.toml:2 already");
  EXPECT_EQ(with("[next_hop.gateway.probe]\ntype = \"icmp\"\n"),
            "conf.d/a.toml:1: next_hop \"gateway\" is in sekisho.toml:4 already");
  folder.write("conf.d/b.toml", "[icmp]\nrate = 10\n");
  EXPECT_EQ(with("[icmp]\nrate = 20\n"), "conf.d/b.toml:1: \"icmp\" is in conf.d/a.toml:1 already");
  EXPECT_EQ(with("port = 5\n"), "conf.d/a.toml:1: \"port\" is in sekisho.toml:2 already");
}

TEST_F(Included, AnIncludedFileIncludesNone) {
  folder.write("conf.d/a.toml", "\ninclude = []\n");
  EXPECT_EQ(
      refusal(),
      "conf.d/a.toml:2: \"include\" in an included file: only the configuration itself includes others");
}

TEST_F(Included, APatternMayMatchNothingAndANameMustBeThere) {
  EXPECT_EQ(refusal(), "");
  EXPECT_EQ(refusal("include = [\"no-such-folder/*\"]\n" + std::string{whole.substr(whole.find('\n'))}), "");
  EXPECT_EQ(refusal("include = [\n  \"conf.d/wan.toml\"]\n[port.lan]\ndevice = \"net_null0\"\n"),
            "sekisho.toml:2: the included file conf.d/wan.toml does not exist");
  EXPECT_EQ(refusal("include = [\"\"]\n"), "sekisho.toml:1: \"include\" names no file");
  EXPECT_EQ(refusal("include = \"conf.d/a.toml\"\n"),
            "sekisho.toml:1: \"include\" in the configuration must be an array of "
            "strings, not a string");
  std::filesystem::create_directory(folder.path() / "conf.d/folder.toml");
  EXPECT_THAT(refusal(), HasSubstr("conf.d/folder.toml: ")) << "it is no file, and not passed over";
}

TEST_F(Included, ByNameAndEachOnce) {
  for (const auto* name : {"conf.d/b.toml", "conf.d/B.toml", "conf.d/10-a.toml", "conf.d/9-a.toml",
                           "conf.d/.hidden.toml", "conf.d/a.toml.dpkg-dist", "conf.d/a.txt"})
    folder.write(name, "");
  EXPECT_THAT(found("conf.d/*.toml"),
              ElementsAre("conf.d/10-a.toml", "conf.d/9-a.toml", "conf.d/B.toml", "conf.d/b.toml"));
  EXPECT_THAT(found("./conf.d/../conf.d/[bB].toml"), ElementsAre("conf.d/B.toml", "conf.d/b.toml"));
  EXPECT_THAT(found((folder.path() / "conf.d/b*.toml").native()), ElementsAre("conf.d/b.toml"));
  EXPECT_THAT(found("conf.d/c*.toml"), IsEmpty());
  folder.write("conf.d/b.toml", "[port.wan]\ndevice = \"net_null1\"\n");
  EXPECT_EQ(refusal("include = [\"conf.d/b.toml\", \"conf.d/*.toml\"]\n[port.lan]\ndevice = \"net_null0\"\n"),
            "");
}

// As editors on Windows leave them.
TEST_F(Included, LinesAreCountedBehindAMarkAndLineBreaksOfWindows) {
  folder.write("conf.d/10-mark.toml", "\xef\xbb\xbf[port.wan]\ndevice = \"net_null1\"\n");
  folder.write("conf.d/20-breaks.toml", "# A port.\r\n[port.dmz]\r\ndevice = \"net_null2\"\r\n");
  folder.write("conf.d/30-after.toml", "[port.vpn]\ndevice = \"net_null3\"\n");
  const auto config = read_main();
  ASSERT_TRUE(config) << config.error().to_string();
  ASSERT_EQ(config->ports.size(), 4U);
  const auto at = [&](std::size_t port) {
    return folder.shorten(config->at(config->ports[port].line, "x").to_string());
  };
  EXPECT_EQ(at(0), "conf.d/20-breaks.toml:2: x");  // by name: dmz, lan, vpn, wan
  EXPECT_EQ(at(2), "conf.d/30-after.toml:1: x");
  EXPECT_EQ(at(3), "conf.d/10-mark.toml:1: x");
}

TEST_F(Included, TheConfigurationDoesNotIncludeItself) {
  const std::string text{"include = [\"*.toml\"]\n[port.lan]\ndevice = \"net_null0\"\n"};
  folder.write("sekisho.toml", text);
  const auto config = read(folder.path() / "conf.d/.././sekisho.toml");
  ASSERT_TRUE(config) << config.error().to_string();
  EXPECT_THAT(config->included, IsEmpty());
}

// A file in a folder that cannot be searched is not left out: glob(3) alone would.
TEST_F(Included, WhatCannotBeLookedAtIsSaid) {
  std::filesystem::create_directory(folder.path() / "conf.d/empty");
  folder.write("conf.d/file", "");
  EXPECT_THAT(found("conf.d/*/zone.toml"), IsEmpty());
  std::filesystem::create_symlink("loop", folder.path() / "conf.d/loop");
  for (const auto* pattern : {"conf.d/*/zone.toml", "conf.d/*/*.toml", "conf.d/*/more/*.toml"})
    EXPECT_THAT(found(pattern), ElementsAre(AllOf(StartsWith("refused: what \"conf.d/*/"),
                                                  HasSubstr(" matches cannot be told: conf.d/loop"),
                                                  EndsWith(": Too many levels of symbolic links"))))
        << pattern;
}

TEST_F(Included, ANameIsUtf8) {
  folder.write("conf.d/\xc3\xbc.toml", "");
  EXPECT_EQ(refusal(), "");
  folder.write("conf.d/\xff.toml", "");
  EXPECT_EQ(refusal(), "sekisho.toml:1: \"conf.d/*.toml\" matches \"?.toml\", a name that is not UTF-8");
}

TEST_F(Included, AFolderIsItsNameWhateverIsInIt) {
  const auto odd = folder.path() / "a[b]*";
  std::filesystem::create_directories(odd / "conf.d");
  folder.write("a[b]*/conf.d/x.toml", "");
  EXPECT_THAT(find_included(odd / "sekisho.toml", "conf.d/*.toml", {}).value(),
              ElementsAre(odd / "conf.d/x.toml"));
}

TEST_F(Included, OfACopyAllIsBeneathItsRoot) {
  const auto root = folder.path() / "root";
  std::filesystem::create_directories(root / "srv/conf.d");
  folder.write("root/srv/conf.d/x.toml", "");
  const auto config = root / "etc/sekisho.toml";
  EXPECT_THAT(find_included(config, "/srv/conf.d/*.toml", root).value(),
              ElementsAre(root / "srv/conf.d/x.toml"));
  EXPECT_THAT(find_included(config, "/srv/conf.d/x.toml", root).value(),
              ElementsAre(root / "srv/conf.d/x.toml"));
  EXPECT_FALSE(find_included(config, "/srv/conf.d/x.toml", {}));
  // No number of ".." leads out of it.
  for (const auto* pattern : {"../srv/conf.d/*.toml", "../../../srv/conf.d/*.toml", "/../srv/conf.d/*.toml",
                              "../../../srv/conf.d/x.toml"})
    EXPECT_THAT(find_included(config, pattern, root).value(), ElementsAre(root / "srv/conf.d/x.toml"))
        << pattern;
}

TEST_F(Included, ACopyIsReadInsteadOfWhatLiesThereNow) {
  const auto root = folder.path() / "root";
  const auto copy = root / folder.path().relative_path();
  const auto pattern = (folder.path() / "conf.d/*.toml").native();
  std::filesystem::create_directories(copy / "conf.d");
  const auto in_copy = copy.lexically_relative(folder.path()).native();
  folder.write(in_copy + "/sekisho.toml",
               fmt::format("include = [\"{}\"]\n[port.lan]\ndevice = \"net_null0\"\n", pattern));
  folder.write(in_copy + "/conf.d/old.toml", "[port.old]\ndevice = \"net_null1\"\n");
  folder.write("conf.d/new.toml", "[port.new]\ndevice = \"net_null1\"\n");
  const auto config = read(copy / "sekisho.toml", root);
  ASSERT_TRUE(config) << config.error().to_string();
  ASSERT_EQ(config->included.size(), 1U);
  EXPECT_EQ(config->included[0].read.file, copy / "conf.d/old.toml");
}

// By name, as the history's copy has it, and not by where a symbolic link leads.
TEST_F(Included, TheParentOfAFolderIsItsParentByName) {
  std::filesystem::create_directories(folder.path() / "elsewhere/conf.d");
  std::filesystem::create_directory_symlink("elsewhere/conf.d", folder.path() / "linked");
  folder.write("elsewhere/x.toml", "");
  folder.write("x.toml", "");
  EXPECT_THAT(found("linked/../x.*"), ElementsAre("x.toml"));
  EXPECT_THAT(found("linked/../x.toml"), ElementsAre("x.toml"));
}

TEST_F(Included, ThereAreNotTooMany) {
  for (int i = 0; i < 256; ++i)
    folder.write(fmt::format("conf.d/{:03}.toml", i), "");
  EXPECT_EQ(refusal(), "");
  folder.write("conf.d/256.toml", "");
  EXPECT_EQ(refusal(), "sekisho.toml:1: more than 256 included files");
}

TEST_F(Included, AllTogetherAreNotTooLong) {
  folder.write("conf.d/a.toml", std::string(999'000, '\n'));
  EXPECT_EQ(refusal(), "");
  folder.write("conf.d/b.toml", std::string(2'000, '\n'));
  EXPECT_EQ(refusal(), "conf.d/b.toml: with it the configuration has more than 1,000,000 lines");
  folder.write("conf.d/a.toml", "#" + std::string((16U << 20) - 1, ' '));
  EXPECT_EQ(refusal(), "conf.d/a.toml: with it the configuration has more than 16 MiB");
}

}  // namespace
}  // namespace sekisho::config
