// SPDX-License-Identifier: BSD-3-Clause
// The table of formats: what is recognised, what is ambiguous, and who decides.
#include "control/formats/format.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>

namespace sekisho::formats {
namespace {

using testing::HasSubstr;
using testing::SizeIs;

TEST(Formats, EachHasARowAndANameOfItsOwn) {
  std::set<std::string_view> names;
  std::set<Format> kinds;
  for (const auto& row : formats()) {
    names.insert(row.name);
    kinds.insert(row.format);
    EXPECT_EQ(find_format(row.name), &row);
    EXPECT_EQ(&row_of(row.format), &row);
    EXPECT_FALSE(row.holds.empty() || row.from.empty() || row.recognise == nullptr || row.read == nullptr);
  }
  EXPECT_THAT(names, SizeIs(formats().size()));
  EXPECT_THAT(kinds, SizeIs(formats().size()));
  EXPECT_EQ(find_format("ini"), nullptr);
}

// A file of service tags that says "resources", or a template that says "values": nobody can know.
constexpr std::string_view either =
    R"({"resources": [], "values": [{"name": "A", "properties": {"addressPrefixes": ["192.0.2.0/24"], "networkFeatures": ["UDR"]}}]})";

TEST(Formats, WhatTwoRecogniseIsRefusedByBothNames) {
  const auto file = parse_routes(either, "x.json");
  ASSERT_FALSE(file);
  EXPECT_EQ(file.error().to_string(),
            "x.json: $: may be in any of several formats: --format says which, azure-template or "
            "azure-service-tags");
}

TEST(Formats, WhoReadsDecides) {
  const auto tags = parse_routes(either, "x.json", {.format = Format::service_tags});
  ASSERT_TRUE(tags) << tags.error().to_string();
  EXPECT_EQ(tags->format, Format::service_tags);
  EXPECT_THAT(tags->routes, SizeIs(1));
  const auto nothing = parse_routes(either, "x.json", {.format = Format::arm_template});
  ASSERT_TRUE(nothing) << nothing.error().to_string();
  EXPECT_EQ(nothing->format, Format::arm_template);
}

TEST(Formats, WhatIsNotWhatItIsSaidToBeIsRefused) {
  const auto reason = [](std::string_view bytes, Format format) {
    const auto file = parse_routes(bytes, "x", {.format = format});
    return file ? "read" : file.error().to_string();
  };
  EXPECT_EQ(reason("10.0.0.0/8 a\n", Format::route_table), "x: is not azure: it is no JSON");
  EXPECT_EQ(reason("{}", Format::text), "x: $: is not text: it is JSON");
  EXPECT_THAT(reason("10.0.0.0/8 a\n", Format::mrt), HasSubstr("x: byte 0"));
  EXPECT_EQ(reason("[]", Format::service_tags), "x: $: is an array where an object is expected");
}

TEST(Formats, AnUnknownShapeIsRefused) {
  for (const auto* bytes : {R"({"x": 1})", R"([{"prefix": "0.0.0.0/0", "hop": "10.0.2.10"}])",
                            R"([["10.1.0.0/16"], ["0.0.0.0/0"]])"}) {
    const auto file = parse_routes(bytes, "x.json");
    ASSERT_FALSE(file) << bytes;
    EXPECT_EQ(file.error().to_string(),
              "x.json: $: is in none of the formats that are read (`sekisho formats` lists them)");
  }
}

}  // namespace
}  // namespace sekisho::formats
