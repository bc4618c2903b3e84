// SPDX-License-Identifier: BSD-3-Clause
// Files as commands and people leave them: without routes, of one row, of other programs; and what is written of them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "control/formats/reader.hpp"
#include "control/formats/service_tags.hpp"
#include "control/formats/write.hpp"
#include "tests/unit/temporary_folder.hpp"

namespace sekisho::formats {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

auto fixture_file(std::string_view name) -> std::filesystem::path {
  return std::filesystem::path{SEKISHO_FIXTURES} / name;
}

// "LABEL PREFIX NEXT-HOP", by the file's order.
auto routes_of(const RouteFile& file) -> std::vector<std::string> {
  std::vector<std::string> result;
  for (const auto& route : file.routes)
    result.push_back(file.labels[route.label] + " " + base::to_string(route.prefix) + " " +
                     to_string(file.next_hops[route.next_hop]));
  return result;
}

auto refusal(const std::filesystem::path& file) -> std::string {
  const auto read = read_routes(file);
  return read ? "read" : read.error().to_string().substr(file.string().size());
}

constexpr auto remedy = "; if that is meant, say so: allow_empty = true, or --allow-empty";

struct WithoutRoutes {
  std::string why;
  std::string content;
  std::string reason;
};

TEST(FileWithoutRoutes, IsAnErrorUnlessItIsMeant) {
  const test::TemporaryFolder folder;
  const std::string template_without = R"({"resources": [], "contentVersion": "1.0.0.0"})";
  const std::vector<WithoutRoutes> cases{
      {"what a command that failed leaves", "", " and nothing else: a command that fails leaves such a file"},
      {"a blank line", "\n", ", only comments and blank lines"},
      {"blanks and comments", "# none\r\n \t\n#\n", ", only comments and blank lines"},
      {"an empty object", "{}\n", ""},
      {"an empty list", "[]", ""},
      {"a list of REST's", R"({"value": []})", ""},
      {"a table", R"({"name": "udr", "routes": []})", ""},
      {"a table of IPv6", R"({"routes": [{"addressPrefix": "2001:db8::/32", "nextHopType": "None"}]})",
       " (but 1 IPv6 prefix)"},
      {"a table whose routes are misspelt",
       R"({"disableBgpRoutePropagation": false, "rutes": [{"addressPrefix": "10.0.0.0/8", "nextHopType": "None"}]})",
       " ($.rutes: a route table has a property that is not known; it is ignored, here and in others)"},
      {"a template of something else", template_without, " ($: this template holds no route table)"},
      {"service tags of IPv6",
       R"({"values": [{"name": "A", "properties": {"networkFeatures": ["UDR"], "addressPrefixes": ["2001:db8::/32"]}}]})",
       " (but 1 IPv6 prefix)"},
  };
  for (const auto& test : cases) {
    const auto file = folder.write("file", test.content);
    EXPECT_EQ(refusal(file), ": holds no route" + test.reason + remedy) << test.why;
    const auto read = read_routes(file, {.empty = Empty::allowed});
    ASSERT_TRUE(read) << test.why << ": " << read.error().to_string();
    EXPECT_THAT(read->routes, IsEmpty()) << test.why;
  }
  // Twenty bytes of gzip for nothing.
  const std::string nothing{"\x1f\x8b\x08\0\0\0\0\0\0\3\3\0\0\0\0\0\0\0\0\0", 20};
  EXPECT_THAT(refusal(folder.write("file.gz", nothing)), HasSubstr(": holds no route"));
}

TEST(FileWithoutRoutes, SaysWhichRoutesCouldNotBeKnown) {
  const test::TemporaryFolder folder;
  const auto file = folder.write(
      "template.json",
      R"({"parameters": {"p": {"type": "string"}}, "resources": [{"type": "Microsoft.Network/routeTables",
          "name": "t", "properties": {"routes": [{"name": "r", "properties":
          {"addressPrefix": "[parameters('p')]", "nextHopType": "None"}}]}}]})");
  EXPECT_THAT(refusal(file), HasSubstr("is left out"));
}

TEST(FileWithoutRoutes, OfAzuresTablesMayBeMeantAsSuch) {
  const test::TemporaryFolder folder;
  const auto table = folder.write("udr.json", R"({"name": "udr", "routes": []})");
  EXPECT_TRUE(read_routes(table, {.empty = Empty::table}));
  for (const auto* content : {"", "{}", "[]", "# none\n"})
    EXPECT_FALSE(read_routes(folder.write("file", content), {.empty = Empty::table})) << content;
}

TEST(RouteFiles, OneEffectiveRouteIsARoute) {
  const auto file = read_routes(fixture_file("effective/one-row.json"));
  ASSERT_TRUE(file) << file.error().to_string();
  EXPECT_EQ(file->format, Format::effective_routes);
  EXPECT_THAT(routes_of(*file), ElementsAre("all 0.0.0.0/0 10.0.2.10"));
  EXPECT_THAT(file->findings, IsEmpty());
}

TEST(RouteFiles, EffectiveRoutesOfSeveralVersionsOfAz) {
  const std::vector<std::pair<std::string, std::vector<std::string>>> cases{
      {"array", {"all 0.0.0.0/0 10.0.2.10"}},
      {"additional-object", {" 0.0.0.0/0 Internet"}},
      {"connected-group", {" 10.61.0.0/24 ConnectedGroup", " 10.62.0.0/24 ConnectedGroup"}},
      {"mixed",
       {" 10.1.0.0/16 VNetGlobalPeering", " 172.20.0.0/16 VirtualNetworkGateway",
        " 20.38.98.0/24 VirtualNetworkServiceEndpoint"}},
  };
  for (const auto& [name, routes] : cases) {
    const auto file = read_routes(fixture_file("effective/" + name + ".json"));
    ASSERT_TRUE(file) << file.error().to_string();
    EXPECT_EQ(routes_of(*file), routes) << name;
    EXPECT_THAT(file->findings, IsEmpty()) << name;
  }
}

TEST(RouteFiles, WhatIsWrittenIsReadAgain) {
  const test::TemporaryFolder folder;
  const auto file = read_routes(
      folder.write("table.txt", "10.0.0.0/8 10.0.2.4\n11.0.0.0/8 10.0.2.4,10.0.2.5\n12.0.0.0/8 None\n"));
  ASSERT_TRUE(file) << file.error().to_string();
  std::string text;
  ASSERT_TRUE(write_text({*file}, [&](std::string_view piece) { text += piece; }));
  EXPECT_EQ(routes_of(*read_routes(folder.write("again.txt", text))), routes_of(*file));

  std::string table;
  EXPECT_EQ(write_azure({*file}, [&](std::string_view piece) { table += piece; }), 0U);
  const auto again = read_routes(folder.write("again.json", table));
  ASSERT_TRUE(again) << again.error().to_string();
  EXPECT_THAT(routes_of(*again),
              ElementsAre("route-1 10.0.0.0/8 10.0.2.4", "route-2 11.0.0.0/8 10.0.2.4,10.0.2.5",
                          "route-3 12.0.0.0/8 None"));
}

TEST(RouteFiles, NothingIsWrittenOfWhatAnotherFormCannotSay) {
  const test::TemporaryFolder folder;
  const auto named = read_routes(folder.write("table.txt", "10.0.0.0/8 firewall\n"));
  ASSERT_TRUE(named);
  std::string written;
  const auto refused = write_azure({*named}, [&](std::string_view piece) { written += piece; });
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error(),
              HasSubstr("table.txt:1: 10.0.0.0/8: next hop firewall is neither an address nor"));
  EXPECT_EQ(written, "");
}

TEST(RouteFiles, ARouteIsNeverTakenForAnEmptyTable) {
  const test::TemporaryFolder folder;
  // Without source and state, as `az --query` may leave a row.
  EXPECT_EQ(refusal(folder.write("row.json", R"([{"disableBgpRoutePropagation": false, "name": "all",
      "addressPrefix": ["0.0.0.0/0"], "nextHopType": "VirtualAppliance"}])")),
            ": $[0].addressPrefix: belongs to a route, and this is a route table");
  EXPECT_EQ(refusal(fixture_file("azure/route-tables-without-depth.json")),
            ": $[0].Routes: is a string where an array is expected: ConvertTo-Json needs a greater -Depth");
}

TEST(RouteFiles, ServiceTagsAsTheRestApiHasThem) {
  const auto tags = read_service_tags(fixture_file("azure/service-tags-api.json"));
  ASSERT_TRUE(tags) << tags.error().to_string();
  EXPECT_EQ(tags->change_number, 231);
  EXPECT_THAT(tags->findings, IsEmpty());
  ASSERT_EQ(tags->tags.size(), 1);
  EXPECT_EQ(tags->tags[0].name, "Storage.WestEurope");
  EXPECT_EQ(tags->tags[0].region, "westeurope");
  EXPECT_TRUE(tags->tags[0].routable);
  EXPECT_EQ(tags->tags[0].ipv6, 1);
  const auto file = read_routes(fixture_file("azure/service-tags-api.json"));
  ASSERT_TRUE(file) << file.error().to_string();
  EXPECT_THAT(routes_of(*file), ElementsAre("Storage.WestEurope 192.0.2.0/26 -"));
}

}  // namespace
}  // namespace sekisho::formats
