// SPDX-License-Identifier: BSD-3-Clause
// Several tables in one file stay several.
#include "control/formats/tables.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "control/formats/reader.hpp"
#include "tests/unit/temporary_folder.hpp"

namespace sekisho::formats {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

const std::filesystem::path two = std::filesystem::path{SEKISHO_FIXTURES} / "azure/two-tables.json";

auto reason(const std::filesystem::path& file, const Options& options) -> std::string {
  const auto read = read_routes(file, options);
  return read ? "read" : read.error().to_string().substr(file.string().size());
}

TEST(Tables, OneHasToBeChosen) {
  EXPECT_EQ(reason(two, {}),
            ": holds 2 route tables, of which one has to be chosen (FILE#TABLE, --table, or table = \"..\" "
            "beside the "
            "file): \"rt-web\", \"rt-lab\"");
  EXPECT_EQ(reason(two, {.table = "rt-wab"}),
            ": holds no route table \"rt-wab\", but \"rt-web\", \"rt-lab\"");
  const auto web = read_routes(two, {.table = "rt-web"});
  ASSERT_TRUE(web) << web.error().to_string();
  EXPECT_THAT(web->routes, SizeIs(1));
  EXPECT_THAT(web->next_hops, SizeIs(1));  // none of the other's
  EXPECT_THAT(web->tables, SizeIs(1));
  EXPECT_EQ(web->table, "rt-web");
}

TEST(Tables, ThatKnowOfNoneHaveNone) {
  const test::TemporaryFolder folder;
  EXPECT_EQ(reason(folder.write("a.txt", "10.0.0.0/8 a\n"), {.table = "rt"}),
            ": knows of no tables, and so of none that is \"rt\"");
}

TEST(Tables, OfOneNameAreToldApartByTheirPlace) {
  const test::TemporaryFolder folder;
  const auto file = folder.write("a.json", R"([{"name": "rt", "id": "/rg/a/rt", "routes": []},
      {"name": "RT", "id": "/rg/b/rt", "routes": [{"addressPrefix": "10.0.0.0/8", "nextHopType": "None"}]},
      {"id": "/rg/b/rt", "routes": [{"addressPrefix": "11.0.0.0/8", "nextHopType": "None"}]}])");
  EXPECT_EQ(
      reason(file, {.table = "rt"}),
      ": holds 2 route tables \"rt\": choose by what tells them apart, \"/rg/a/rt\", \"/rg/b/rt\", \"$[2]\"");
  const auto b = read_routes(file, {.table = "/rg/b/rt"});
  ASSERT_TRUE(b) << b.error().to_string();
  EXPECT_EQ(base::to_string(b->routes.at(0).prefix), "10.0.0.0/8");
  EXPECT_THAT(reason(file, {.table = "/rg/a/rt"}), HasSubstr("holds no route"));
  EXPECT_EQ(reason(file, {.table = "$[2]"}), "read");
}

TEST(Tables, KeepTheirOwnFindingsAndIpv6) {
  const test::TemporaryFolder folder;
  const auto file = folder.write("a.json", R"([{"name": "a", "routes": [
      {"addressPrefix": "10.0.0.0/8", "nextHopType": "None", "colour": "blue"},
      {"addressPrefix": "2001:db8::/32", "nextHopType": "None"}]},
      {"name": "b", "routes": [{"name": "tag", "addressPrefix": "AzureCloud", "nextHopType": "None"}]}])");
  const auto a = read_routes(file, {.table = "a"});
  ASSERT_TRUE(a) << a.error().to_string();
  EXPECT_THAT(a->findings, SizeIs(1));
  EXPECT_EQ(a->ipv6, 1);
  EXPECT_THAT(a->tag_routes, IsEmpty());
  const auto b = read_routes(file, {.table = "b"});
  ASSERT_TRUE(b) << b.error().to_string();
  EXPECT_THAT(b->findings, IsEmpty());
  EXPECT_EQ(b->ipv6, 0);
  EXPECT_THAT(b->tag_routes, SizeIs(1));
  EXPECT_EQ(b->labels.at(b->tag_routes[0].label), "tag");
}

TEST(Tables, AreReadEachAlone) {
  const auto tables = read_tables(two);
  ASSERT_TRUE(tables) << tables.error().to_string();
  ASSERT_THAT(*tables, SizeIs(2));
  EXPECT_EQ((*tables)[0].table, "rt-web");
  EXPECT_THAT((*tables)[1].routes, SizeIs(2));
  const auto one = read_tables(two, {.table = "rt-lab"});
  ASSERT_TRUE(one) << one.error().to_string();
  EXPECT_THAT(*one, SizeIs(1));
}

TEST(Tables, WithTwoRoutesOfAPrefixSaySo) {
  const test::TemporaryFolder folder;
  const auto file = read_routes(folder.write("a.json", R"({"name": "rt", "routes": [
      {"name": "a", "addressPrefix": "10.0.0.0/8", "nextHopType": "None"},
      {"name": "b", "addressPrefix": "10.0.0.0/8", "nextHopType": "Internet"}]})"));
  ASSERT_TRUE(file) << file.error().to_string();
  const auto found = repeated_routes(*file);
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(found[0].where.reason,
            "route \"b\" to 10.0.0.0/8 repeats route \"a\": of two routes of one prefix in a table the last "
            "counts");
}

}  // namespace
}  // namespace sekisho::formats
