// SPDX-License-Identifier: BSD-3-Clause
#include "control/formats/service_tags.hpp"
#include "common/base/prefix.hpp"
#include "control/formats/compression.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "common/base/file.hpp"
#include "control/formats/format.hpp"
#include "control/formats/reader.hpp"
#include "tests/unit/real_data.hpp"

namespace sekisho::formats {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

auto tag_file() -> std::filesystem::path {
  return std::filesystem::path{SEKISHO_FIXTURES} / "azure/service-tags.json";
}

// "LABEL PREFIX ORIGIN", the origin as its number.
auto tagged_routes(const RouteFile& file) -> std::vector<std::string> {
  std::vector<std::string> result;
  for (const auto& route : file.routes)
    result.push_back(file.labels.at(route.label) + " " + base::to_string(route.prefix) + " " +
                     std::to_string(static_cast<int>(route.origin)));
  return result;
}

auto origin_number(route::Origin origin) -> std::string {
  return " " + std::to_string(static_cast<int>(origin));
}

TEST(ServiceTags, ReadsTagsSortedWithoutCase) {
  const auto tags = read_service_tags(tag_file());
  ASSERT_TRUE(tags) << tags.error().to_string();
  EXPECT_EQ(tags->cloud, "Public");
  EXPECT_EQ(tags->change_number, 7U);
  std::vector<std::string> names;
  for (const auto& tag : tags->tags)
    names.push_back(tag.name);
  EXPECT_THAT(names, ElementsAre("AzureCloud", "AzureCloud.westeurope", "AzureMonitor",
                                 "AzureMonitor.WestEurope", "OnlySix"));
  const auto* monitor = tags->find("AZUREmonitor.westEurope");
  ASSERT_NE(monitor, nullptr);
  EXPECT_EQ(monitor->region, "westeurope");
  EXPECT_TRUE(monitor->routable);
  EXPECT_FALSE(tags->find("AzureCloud")->routable);
  EXPECT_EQ(tags->find("AzureCloud")->ipv6, 1U);
  EXPECT_EQ(tags->find("AzureMonito"), nullptr);
  EXPECT_EQ(tags->find("Zzz"), nullptr);
}

TEST(ServiceTags, OriginsAreOrderedAsAzureDoes) {
  const auto tags = read_service_tags(tag_file());
  ASSERT_TRUE(tags) << tags.error().to_string();
  const auto origin = [&](std::string_view name) { return origin_of(*tags->find(name)); };
  EXPECT_LT(origin("AzureCloud"), origin("AzureCloud.westeurope"));
  EXPECT_LT(origin("AzureCloud.westeurope"), origin("AzureMonitor"));
  EXPECT_LT(origin("AzureMonitor"), origin("AzureMonitor.WestEurope"));
  EXPECT_LT(origin("AzureMonitor.WestEurope"), route::Origin::user);
}

TEST(ServiceTags, AsARouteFileHoldWhatCanBeRouted) {
  const auto file = read_routes(tag_file());
  ASSERT_TRUE(file) << file.error().to_string();
  EXPECT_EQ(file->format, Format::service_tags);
  using route::Origin;
  EXPECT_THAT(tagged_routes(*file),
              ElementsAre("AzureMonitor 192.0.2.0/25" + origin_number(Origin::user_tag),
                          "AzureMonitor 203.0.113.0/24" + origin_number(Origin::user_tag),
                          "AzureMonitor.WestEurope 192.0.2.0/26" + origin_number(Origin::user_regional_tag)));
  EXPECT_EQ(file->ipv6, 2U);
  for (const auto& route : file->routes)
    EXPECT_TRUE(file->next_hops.at(route.next_hop).is_missing());
}

auto table_to(const std::vector<std::string>& destinations) -> RouteFile {
  std::string routes;
  for (const auto& to : destinations)
    routes += (routes.empty() ? "" : ",") + (R"({"name": "to-)" + to + R"(", "addressPrefix": ")" + to +
                                             R"(", "nextHopType": "Internet"})");
  auto file = parse_document(R"({"routes": [)" + routes + "]}", "udr.json");
  EXPECT_TRUE(file) << file.error().to_string();
  return *file;
}

TEST(ServiceTags, ResolveToTheirPrefixes) {
  const auto tags = read_service_tags(tag_file());
  ASSERT_TRUE(tags) << tags.error().to_string();
  auto routes = table_to({"azuremonitor", "AzureCloud.WestEurope", "AzureCloud", "OnlySix"});
  const auto resolved = resolve_tags(routes, *tags);
  ASSERT_TRUE(resolved) << resolved.error().to_string();
  using route::Origin;
  EXPECT_THAT(
      tagged_routes(routes),
      ElementsAre("to-azuremonitor 192.0.2.0/25" + origin_number(Origin::user_tag),
                  "to-azuremonitor 203.0.113.0/24" + origin_number(Origin::user_tag),
                  "to-AzureCloud.WestEurope 192.0.2.0/24" + origin_number(Origin::user_regional_cloud_tag),
                  "to-AzureCloud 192.0.2.0/24" + origin_number(Origin::user_cloud_tag),
                  "to-AzureCloud 198.51.100.0/24" + origin_number(Origin::user_cloud_tag)));
  for (const auto& route : routes.routes)
    EXPECT_EQ(routes.next_hops.at(route.next_hop).type, route::NextHopType::internet);
  EXPECT_TRUE(routes.tag_routes.empty());
  EXPECT_EQ(routes.ipv6, 3U);
  ASSERT_EQ(routes.findings.size(), 3U);
  EXPECT_EQ(routes.findings[0].where.path, "$.routes[1]");
  EXPECT_THAT(routes.findings[0].where.reason, HasSubstr("do not hold UDR; it is routed all the same"));
  EXPECT_EQ(routes.findings[1].where.path, "$.routes[2]");
  EXPECT_THAT(routes.findings[2].where.reason, HasSubstr("has no IPv4 prefix"));
}

TEST(ServiceTags, AnUnknownOneChangesNothing) {
  const auto tags = read_service_tags(tag_file());
  ASSERT_TRUE(tags) << tags.error().to_string();
  auto routes = table_to({"AzureMonitor", "AzureMonitr"});
  const auto resolved = resolve_tags(routes, *tags);
  ASSERT_FALSE(resolved);
  EXPECT_THAT(
      resolved.error().to_string(),
      HasSubstr(
          "udr.json: $.routes[1]: route \"to-AzureMonitr\" goes to \"AzureMonitr\", which is not a service "
          "tag in "));
  EXPECT_THAT(resolved.error().reason, HasSubstr("; did you mean \"AzureMonitor\"?"));
  EXPECT_TRUE(routes.routes.empty());
  EXPECT_EQ(routes.tag_routes.size(), 2U);
}

TEST(ServiceTags, RoutesWithoutBoundAreRefused) {
  ServiceTags tags;
  tags.tags.push_back({.name = "Big", .prefixes = std::vector<base::Prefix>(1 << 20)});
  auto routes = table_to({"Big"});
  routes.tag_routes.resize(17, routes.tag_routes.front());
  const auto resolved = resolve_tags(routes, tags);
  ASSERT_FALSE(resolved);
  EXPECT_THAT(resolved.error().reason, HasSubstr("more than 16777216 routes"));
  EXPECT_TRUE(routes.routes.empty());
}

struct TagsRefused {
  std::string why;
  std::string json;
  std::string error;
};

TEST(ServiceTags, Refuses) {
  const auto tag = [](const std::string& properties) {
    return R"({"values": [{"name": "A", "properties": {)" + properties + "}}]}";
  };
  const std::vector<TagsRefused> cases{
      {"no JSON", "x", "x.json:1: invalid JSON"},
      {"no object", "[]", "$: is an array where an object is expected"},
      {"another file", R"({"routes": []})", "$: is not a service tag file"},
      {"values that are none", R"({"values": {}})", "$.values: is not a service tag file"},
      {"a cloud that is none", R"({"cloud": 1, "values": []})", "$.cloud: is a number where a string"},
      {"a change number that is none", R"({"changeNumber": -1, "values": []})", "$.changeNumber: "},
      {"a change number that is a word", R"({"changeNumber": "231a", "values": []})", "$.changeNumber: "},
      {"no change number", R"({"changeNumber": "", "values": []})", "$.changeNumber: "},
      {"a change number too large", R"({"changeNumber": 4294967296, "values": []})", "$.changeNumber: "},
      {"a tag that is none", R"({"values": [1]})", "$.values[0]: is a number where an object"},
      {"no name", R"({"values": [{}]})", "$.values[0]: is a service tag without a name"},
      {"a region that is none", tag(R"("region": 1)"), "$.values[0].properties.region: is a number"},
      {"features that are none", tag(R"("networkFeatures": "UDR")"),
       "networkFeatures is not an array of strings"},
      {"no prefixes", tag(R"("region": "")"), "service tag \"A\": there is no array addressPrefixes"},
      {"a prefix that is a number", tag(R"("addressPrefixes": [1])"),
       "$.values[0].properties.addressPrefixes[0]: service tag \"A\": is a number where a prefix is "
       "expected"},
      {"host bits", tag(R"("addressPrefixes": ["10.0.0.0/8", "10.0.0.1/8"])"),
       "addressPrefixes[1]: service tag \"A\": host bits are set"},
      {"a tag in a tag", tag(R"("addressPrefixes": ["Storage"])"), "a tag's name is not a prefix"},
      {"a bad IPv6 prefix", tag(R"("addressPrefixes": ["::/x"])"), "is not an IPv6 prefix"},
      {"two of a name",
       R"({"values": [{"name": "A", "addressPrefixes": []}, {"name": "a", "addressPrefixes": []}]})",
       "$.values: there are two service tags"},
  };
  for (const auto& test : cases) {
    const auto tags = parse_service_tags(test.json, "x.json");
    ASSERT_FALSE(tags) << test.why;
    EXPECT_THAT(tags.error().to_string(), HasSubstr(test.error)) << test.why;
  }
}

TEST(ServiceTags, UnknownPropertiesAreFindingsOnce) {
  const auto tags = parse_service_tags(R"({"values": [{"name": "A", "colour": 1, "addressPrefixes": []},
                                                      {"name": "B", "colour": 1, "addressPrefixes": []}]})",
                                       "x.json");
  ASSERT_TRUE(tags) << tags.error().to_string();
  ASSERT_EQ(tags->findings.size(), 1U);
  EXPECT_EQ(tags->findings[0].where.path, "$.values[0].colour");
}

// What Microsoft publishes, against a second walk that knows nothing of the first.
TEST(ServiceTagsRealFiles, HoldWhatANaiveWalkFinds) {
  for (const auto* name :
       {"azure/ServiceTags_Public_20251117.json.gz", "azure/ServiceTags_China_20260720.json.gz"}) {
    const auto path = test::real_data(name);
    if (!path)
      continue;
    const auto document = nlohmann::json::parse(*formats::inflate(*base::read_file(*path), *path));
    std::vector<std::string> expected;  // "TAG PREFIX" of those that hold UDR
    std::size_t ipv6 = 0;
    for (const auto& value : document.at("values")) {
      const auto& features = value.at("properties").at("networkFeatures");
      if (std::ranges::find(features, "UDR") == features.end())
        continue;
      for (const auto& prefix : value.at("properties").at("addressPrefixes")) {
        const auto text = prefix.get<std::string>();
        if (text.find(':') == std::string::npos)
          expected.push_back(value.at("name").get<std::string>() + " " + text);
        else
          ++ipv6;
      }
    }

    const auto file = read_routes(*path);
    ASSERT_TRUE(file) << file.error().to_string();
    std::vector<std::string> routes;
    for (const auto& route : file->routes)
      routes.push_back(file->labels.at(route.label) + " " + base::to_string(route.prefix));
    std::ranges::sort(expected);
    std::ranges::sort(routes);
    EXPECT_EQ(routes.size(), expected.size()) << name;
    EXPECT_TRUE(routes == expected) << name;
    EXPECT_EQ(file->ipv6, ipv6) << name;
    EXPECT_TRUE(file->findings.empty()) << name;

    // A table that goes to each of them makes the same routes.
    const auto tags = read_service_tags(*path);
    ASSERT_TRUE(tags) << tags.error().to_string();
    EXPECT_EQ(tags->tags.size(), document.at("values").size());
    RouteFile table{
        .next_hops = {NextHop{.type = route::NextHopType::internet, .name = {}, .addresses = {}}}};
    for (const auto& tag : tags->tags)
      if (tag.routable)
        table.tag_routes.push_back({tag.name, 0, 0, "$"});
    const auto resolved = resolve_tags(table, *tags);
    ASSERT_TRUE(resolved) << resolved.error().to_string();
    EXPECT_EQ(table.routes.size(), expected.size());
    EXPECT_EQ(table.ipv6, ipv6);
  }
}

}  // namespace
}  // namespace sekisho::formats
