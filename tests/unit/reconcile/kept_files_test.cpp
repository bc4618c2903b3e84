// SPDX-License-Identifier: BSD-3-Clause
// Whatever file a configuration can name, the history keeps, and a rollback reads: by the table of keys, so that a new one is missed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <map>
#include <regex>
#include <set>
#include <string>

#include "control/config/keys.hpp"
#include "control/reconcile/reading.hpp"
#include "tests/unit/temporary_folder.hpp"

namespace sekisho::reconcile {
namespace {

constexpr auto* one_route = "203.0.113.0/24 None\n";
constexpr auto* template_with_parameters =
    R"({"$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
"contentVersion": "1.0.0.0", "parameters": {"to": {"type": "string"}}, "resources": [{
"type": "Microsoft.Network/routeTables", "apiVersion": "2023-09-01", "name": "rt", "location": "westeurope", "properties": {"routes": [
{"name": "one", "properties": {"addressPrefix": "[parameters('to')]", "nextHopType": "None"}}]}}]})";
constexpr auto* parameters =
    R"({"$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentParameters.json#",
"contentVersion": "1.0.0.0", "parameters": {"to": {"value": "203.0.113.0/24"}}})";
constexpr auto* tags =
    R"({"changeNumber": 1, "cloud": "Public", "values": [{"name": "Storage", "id": "Storage", "properties":
{"changeNumber": 1, "region": "", "platform": "Azure", "systemService": "", "addressPrefixes": ["20.0.0.0/8"]}}]})";

// What names a file by each key that can. Kept is named.txt; what stands beside it is needed to read it.
struct Sample {
  std::string content = one_route;
  std::string port{};
  std::string zone = "routes = [{ prefix = \"10.1.0.0/16\", next_hop = \"None\" }]\n";
  std::string rest{};
};

const std::map<std::string, Sample>& samples() {
  static const std::string bgp = "[bgp]\nasn = 65010\npeer = [{ address = \"10.0.1.4\", asn = 65515 }]\n";
  static const std::map<std::string, Sample> all{
      {"[port.NAME] subnet_routes", {.port = "subnet_routes = \"named.txt\"\n"}},
      {"[zone.NAME] routes", {.zone = "routes = [\"named.txt\"]\n"}},
      {"[[zone.NAME.routes]] file", {.zone = "routes = [{ file = \"named.txt\", next_hop = \"None\" }]\n"}},
      {"[[zone.NAME.routes]] parameters",
       {.content = parameters,
        .zone = "routes = [{ file = \"template.json\", parameters = \"named.txt\" }]\n"}},
      {"[bgp] advertise", {.rest = bgp + "advertise = [{ file = \"named.txt\" }]\n"}},
      {"[[bgp.advertise]] file", {.rest = bgp + "advertise = [{ file = \"named.txt\" }]\n"}},
      {"[[bgp.advertise]] parameters",
       {.content = parameters,
        .rest = bgp + "advertise = [{ file = \"template.json\", parameters = \"named.txt\" }]\n"}},
      {"[azure] service_tags", {.content = tags, .rest = "[azure]\nservice_tags = \"named.txt\"\n"}},
  };
  return all;
}

// Those whose example is, or has in it, what looks like the name of a file, whatever its suffix: "egress-udr.json".
std::set<std::string> keys_of_files() {
  static const std::regex name{R"("[^"\s]*\.[A-Za-z]\w*")"};
  std::set<std::string> found;
  for (const auto* table : config::key_tables()) {
    for (const auto& key : table->keys) {
      if (std::regex_search(std::string{key.example}, name)) {
        found.insert(std::string{table->name} + " " + std::string{key.name});
      }
    }
  }
  return found;
}

TEST(KeptFiles, AreOfEveryKeyThatNamesOne) {
  std::set<std::string> tried;
  for (const auto& [key, sample] : samples()) {
    tried.insert(key);
  }
  // The name of a host; and files that are read before any of data.
  const std::set<std::string> others{"[web] hosts", "include include"};
  const auto found = keys_of_files();
  EXPECT_THAT(others, testing::IsSubsetOf(found));
  std::set<std::string> of_data;
  std::ranges::set_difference(found, others, std::inserter(of_data, of_data.end()));
  EXPECT_THAT(of_data, testing::IsSubsetOf(tried));
}

TEST(KeptFiles, AreReadFromTheHistory) {
  for (const auto& [key, sample] : samples()) {
    SCOPED_TRACE(key);
    const test::TemporaryFolder folder;
    const auto named = folder.write("named.txt", sample.content);
    const auto beside = folder.write("template.json", template_with_parameters);
    const auto config =
        folder.write("sekisho.toml", "[port.lan]\ndevice = \"af_xdp:lan0\"\n" + sample.port +
                                         "[zone.onprem]\nport = [\"lan\"]\nsources = [\"10.0.0.0/8\"]\n" +
                                         sample.zone + sample.rest);
    const auto directory = folder.path() / "history";
    const auto first =
        read_policy({.source = {.config = config,
                                .copy = CopyOrder{.directory = directory, .newest = {}, .cause = "start"}}});
    ASSERT_TRUE(first.policy) << first.policy.error().to_string();
    ASSERT_TRUE(first.sources.copy) << first.sources.not_copied;
    EXPECT_THAT(first.sources.copy->entry().files, testing::Contains(named));

    const auto place = directory / "1";
    ASSERT_TRUE(first.sources.copy->keep(place, 1));
    for (const auto& each : {named, beside, config}) {
      std::filesystem::remove(each);
    }
    const auto root = history::root_of(place);
    for (const auto& given : {root, std::filesystem::relative(root)}) {
      const auto again = read_policy({.source = {.config = history::beneath(given, config), .root = given}});
      ASSERT_TRUE(again.policy) << again.policy.error().to_string();
      EXPECT_THAT(again.sources.files,
                  testing::Contains(testing::Field(&base::Stamp::file, history::beneath(root, named))));
      for (const auto& stamp : again.sources.files) {
        EXPECT_TRUE(stamp.size) << stamp.file;
      }
    }
  }
}

}  // namespace
}  // namespace sekisho::reconcile
