// SPDX-License-Identifier: BSD-3-Clause
// What a deployment passes to a template by a file.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "control/formats/reader.hpp"
#include "tests/unit/formats/told.hpp"
#include "tests/unit/temporary_folder.hpp"

namespace sekisho::formats {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr auto udr = R"({
  "parameters": {
    "prefix": {"type": "string"},
    "firewall": {"type": "string", "defaultValue": "10.0.2.4"},
    "kind": {"type": "string", "allowedValues": ["Internet", "None"], "defaultValue": "None"},
    "number": {"type": "int", "defaultValue": 1},
    "maybe": {"type": "array", "nullable": true}},
  "resources": [{"type": "Microsoft.Network/routeTables", "name": "t", "properties": {"routes": [
    {"name": "r", "properties": {"addressPrefix": "[parameters('prefix')]", "nextHopType": "VirtualAppliance",
      "nextHopIpAddress": "[parameters('firewall')]"}},
    {"name": "k", "properties": {"addressPrefix": "20.118.99.224/32", "nextHopType": "[parameters('kind')]"}}]}}]})";

auto with(const std::string& parameters) -> Lines {
  const test::TemporaryFolder folder;
  const auto file = folder.write("udr.json", udr);
  const auto passed = folder.write("p.json", parameters);
  const auto read = read_routes(file, {.parameters = passed, .refuse_left_out = true});
  if (!read)
    return {read.error().to_string().substr(folder.path().string().size() + 1)};
  Lines result;
  for (const auto& route : read->routes)
    result.push_back(line_of(*read, route));
  for (const auto& finding : read->findings)
    result.push_back(finding.where.to_string());
  return result;
}

TEST(Parameters, AreWhatIsDeployed) {
  EXPECT_THAT(
      with(R"({"$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentParameters.json#",
                      "contentVersion": "1.0.0.0", "parameters": {"PREFIX": {"value": "10.0.0.0/8"},
                      "kind": {"value": "internet"}, "maybe": {"value": null}}})"),
      ElementsAre("User r 10.0.0.0/8 10.0.2.4", "User k 20.118.99.224/32 Internet"));
  // Null is not passed: the default counts.
  EXPECT_THAT(
      with(
          R"({"parameters": {"prefix": {"value": "10.0.0.0/8"}, "firewall": {"value": null}, "kind": {"value": null}}})"),
      ElementsAre("User r 10.0.0.0/8 10.0.2.4", "User k 20.118.99.224/32 None"));
  // What looks like an expression is a text there.
  EXPECT_THAT(
      with(R"({"parameters": {"prefix": {"value": "[parameters('firewall')]"}}})"),
      ElementsAre(HasSubstr("\"[parameters('firewall')]\" is neither a prefix nor a service tag's name")));
}

TEST(Parameters, AreHeldToTheTemplate) {
  struct Refused {
    std::string parameters;
    std::string error;
  };
  const std::vector<Refused> cases{
      {R"({"parameters": {"prefx": {"value": "10.0.0.0/8"}}})",
       "p.json: $.parameters.prefx: the template has no parameter \"prefx\"; did you mean \"prefix\"?"},
      {R"({"parameters": {"prefix": {"value": 10}}})",
       "p.json: $.parameters.prefix.value: is a number where the template wants a string"},
      {R"({"parameters": {"number": {"value": "1"}}})",
       "p.json: $.parameters.number.value: is a string where the template wants a whole number"},
      {R"({"parameters": {"kind": {"value": "VnetLocal"}}})",
       "p.json: $.parameters.kind.value: is none of the template's allowedValues"},
      {R"({"parameters": {"prefix": {"value": null}}})", "p.json: $.parameters.prefix.value: is null"},
      {R"({"parameters": {"prefix": "10.0.0.0/8"}})",
       "p.json: $.parameters.prefix: has neither a value nor a reference"},
      {R"({"parameters": []})", "p.json: $.parameters: is an array where an object is expected"},
      {R"({"resources": []})", "p.json: $: is no parameters file: it has no \"parameters\""},
      {"[", "p.json:1: invalid JSON"},
      {R"({"parameters": {"prefix": {"reference": {"keyVault": {"id": "x"}, "secretName": "s"}}}})",
       "\"[parameters('prefix')]\" is known to a deployment only (its value is a secret of a key vault's)"},
      {R"({"parameters": {}})",
       "\"[parameters('prefix')]\" is known to a deployment only (the parameter has no defaultValue)"},
  };
  for (const auto& test : cases)
    EXPECT_THAT(with(test.parameters), ElementsAre(HasSubstr(test.error)));
}

TEST(Parameters, AreATemplates) {
  const test::TemporaryFolder folder;
  const auto text = folder.write("routes.txt", "10.0.0.0/8 fw\n");
  const auto read = read_routes(text, {.parameters = folder.write("p.json", R"({"parameters": {}})")});
  ASSERT_FALSE(read);
  EXPECT_THAT(read.error().to_string(),
              HasSubstr("routes.txt: is text, not an ARM template: it takes no parameters"));
}

}  // namespace
}  // namespace sekisho::formats
