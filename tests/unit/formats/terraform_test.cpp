// SPDX-License-Identifier: BSD-3-Clause
// What a Terraform plan changes, and what it does not know: a table lists what the provider has read of it before.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/unit/formats/files.hpp"

namespace sekisho::formats {
namespace {

using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;

const std::string default_route =
    R"("address_prefix": "0.0.0.0/0", "name": "default", "next_hop_type": "VirtualAppliance", )"
    R"("next_hop_in_ip_address": "10.0.2.10")";
const std::string other_default =
    R"("address_prefix": "0.0.0.0/0", "name": "default", "next_hop_type": "VirtualAppliance", )"
    R"("next_hop_in_ip_address": "10.0.2.11")";
const std::string kms =
    R"("address_prefix": "20.118.99.224/32", "name": "kms", "next_hop_type": "Internet", )"
    R"("next_hop_in_ip_address": "")";
const std::string of_hub = R"(, "resource_group_name": "rg", "route_table_name": "rt-hub")";
const std::string both_inline = "[{" + default_route + "}, {" + kms + "}]";

auto resource(const std::string& address, const std::string& values, const std::string& mode = "managed")
    -> std::string {
  const auto* type =
      address.find("azurerm_route_table") != std::string::npos ? "azurerm_route_table" : "azurerm_route";
  return fmt::format(R"({{"address": "{}", "mode": "{}", "type": "{}", "values": {{{}}}}})", address, mode,
                     type, values);
}
auto hub(const std::string& routes) -> std::string {
  return resource("azurerm_route_table.hub",
                  R"("name": "rt-hub", "resource_group_name": "rg", "route": )" + routes);
}
auto change(const std::string& address, const std::string& change) -> std::string {
  const auto* type =
      address.find("azurerm_route_table") != std::string::npos ? "azurerm_route_table" : "azurerm_route";
  return fmt::format(R"({{"address": "{}", "type": "{}", "change": {{{}}}}})", address, type, change);
}
auto plan(const std::string& resources, const std::string& changes, const std::string& rest = "")
    -> std::string {
  return fmt::format(
      R"({{"format_version": "1.2", "terraform_version": "1.9.5", "planned_values": {{"root_module": {{"resources": [{}]}}}}, )"
      R"("resource_changes": [{}]{}{}}})",
      resources, changes, rest.empty() ? "" : ", ", rest);
}

TEST(Terraform, WhatAPlanDeletesIsNotReadFromItsTable) {
  const auto resources = hub(both_inline) + "," + resource("azurerm_route.default", default_route + of_hub);
  const auto deletes = change("azurerm_route.kms",
                              R"("actions": ["delete"], "before": {)" + kms + of_hub + R"(}, "after": null)");
  const auto file = tell(plan(resources, deletes));
  ASSERT_TRUE(file) << file.error();
  EXPECT_THAT(file->routes, ElementsAre("0 0.0.0.0/0 10.0.2.10"));
  EXPECT_THAT(file->findings, ElementsAre(EndsWith("inline route \"kms\" is not read: the plan deletes it")));
  // It becomes an inline route of its table.
  const auto moves = deletes + "," +
                     change("azurerm_route_table.hub", R"("actions": ["update"], "before": {"route": []}, )"
                                                       R"("after": {"route": )" +
                                                           both_inline + "}");
  const auto moved = tell(plan(resources, moves));
  ASSERT_TRUE(moved) << moved.error();
  EXPECT_THAT(moved->routes, ElementsAre("0 20.118.99.224/32 Internet", "0 0.0.0.0/0 10.0.2.10"));
  // Another group's table of that name has it still.
  auto elsewhere = deletes;
  elsewhere.replace(elsewhere.find("\"rg\""), 4, "\"rg2\"");
  const auto kept = tell(plan(resources, elsewhere));
  ASSERT_TRUE(kept) << kept.error();
  EXPECT_EQ(kept->routes.size(), 2);
}

TEST(Terraform, ARouteOfItsOwnCountsBeforeAnInlineOne) {
  const auto file =
      tell(plan(hub(both_inline) + "," + resource("azurerm_route.default", other_default + of_hub), ""));
  ASSERT_TRUE(file) << file.error();
  EXPECT_THAT(file->routes, ElementsAre("0 20.118.99.224/32 Internet", "0 0.0.0.0/0 10.0.2.11"));
  EXPECT_THAT(file->findings,
              ElementsAre(EndsWith(
                  "inline route \"default\" is not read: azurerm_route.default is another, and counts")));
}

TEST(Terraform, AStateWarnsOfAnInlineRouteThatMayBeGone) {
  const auto instance = [](const std::string& type, const std::string& attributes) {
    return fmt::format(
        R"({{"mode": "managed", "type": "{}", "name": "n", "instances": [{{"attributes": {{{}}}}}]}})", type,
        attributes);
  };
  const auto file =
      tell(R"({"version": 4, "terraform_version": "1.9.5", "resources": [)" +
           instance("azurerm_route_table",
                    R"("name": "rt-hub", "resource_group_name": "rg", "route": )" + both_inline) +
           "," + instance("azurerm_route", default_route + of_hub) + "]}");
  ASSERT_TRUE(file) << file.error();
  EXPECT_THAT(file->routes, ElementsAre("0 20.118.99.224/32 Internet", "0 0.0.0.0/0 10.0.2.10"));
  EXPECT_THAT(file->findings,
              ElementsAre(EndsWith(
                  "inline route \"kms\" may be gone: routes of this table are resources of their own, "
                  "and none is this one")));
}

TEST(Terraform, ATableWhoseRoutesAreNotKnownYetIsNotEmpty) {
  const auto created = [](const std::string& address) {
    return change(
        address,
        R"("actions": ["create"], "before": null, "after": {}, "after_unknown": {"id": true, "route": true})");
  };
  const std::string values = R"("name": "rt-hub", "resource_group_name": "rg")";
  const auto table = resource("azurerm_route_table.hub", values);
  const auto configured = tell(plan(
      table, created("azurerm_route_table.hub"),
      R"("configuration": {"root_module": {"resources": [{"address": "azurerm_route_table.hub", "expressions": {"route": {}}}]}})"));
  ASSERT_TRUE(configured) << configured.error();
  const std::string left_out =
      "the routes of this table are left out: they are known after the plan is applied only";
  EXPECT_THAT(configured->findings, ElementsAre(EndsWith(left_out)));
  const std::string in_module = R"(module.m[\"a]\"].azurerm_route_table.hub[0])";
  const auto called = tell(plan(
      resource(in_module, values), created(in_module),
      R"("configuration": {"root_module": {"module_calls": {"m": {"module": {"resources": [{"address": "azurerm_route_table.hub", "expressions": {"route": {}}}]}}}}})"));
  ASSERT_TRUE(called) << called.error();
  EXPECT_THAT(called->findings, ElementsAre(EndsWith(left_out)));
  const auto own = tell(plan(table + "," + resource("azurerm_route.default", default_route + of_hub),
                             created("azurerm_route_table.hub")));
  ASSERT_TRUE(own) << own.error();
  EXPECT_THAT(own->findings, IsEmpty());
  const auto neither = tell(plan(table, created("azurerm_route_table.hub")));
  ASSERT_TRUE(neither) << neither.error();
  EXPECT_THAT(
      neither->findings,
      ElementsAre(EndsWith(
          "routes of a dynamic block, if this table has one, are known after the plan is applied only")));
}

TEST(Terraform, ATableThatAPlanReadsHasItsOtherRoutes) {
  const auto route = resource("azurerm_route.kms", kms + of_hub);
  const auto prior = [](const std::string& resources) {
    return R"("prior_state": {"values": {"root_module": {"resources": [)" + resources + "]}}}";
  };
  const auto data = [](const std::string& address) {
    return resource(address,
                    R"("name": "rt-hub", "resource_group_name": "rg", "route": [{)" + default_route + "}]",
                    "data");
  };
  const auto known =
      tell(plan(route, "",
                prior(data("data.azurerm_route_table.hub") + "," +
                      data("module.m.data.azurerm_route_table.hub") + "," + hub(both_inline))));
  ASSERT_TRUE(known) << known.error();
  EXPECT_THAT(known->routes, ElementsAre("0 0.0.0.0/0 10.0.2.10", "0 20.118.99.224/32 Internet"));
  EXPECT_THAT(known->findings, IsEmpty());
  const auto absent = tell(plan(route, ""));
  ASSERT_TRUE(absent) << absent.error();
  EXPECT_THAT(
      absent->findings,
      ElementsAre(EndsWith("the table \"rt-hub\" is not in this file: its other routes are not known")));
}

TEST(Terraform, ARouteOfOneOfSeveralTablesIsLeftOut) {
  const auto table = [](const std::string& label, const std::string& group) {
    return resource("azurerm_route_table." + label,
                    fmt::format(R"("name": "rt", "resource_group_name": "{}")", group));
  };
  const auto tables = table("a", "rg-a") + "," + table("b", "rg-b") + ",";
  const auto unknown =
      tell(plan(tables + resource("azurerm_route.d", default_route + R"(, "route_table_name": "rt")"),
                change("azurerm_route.d", R"("after_unknown": {"resource_group_name": true})")),
           "azurerm_route_table.a");
  ASSERT_TRUE(unknown) << unknown.error();
  EXPECT_THAT(unknown->routes, IsEmpty());
  EXPECT_THAT(unknown->findings,
              ElementsAre(EndsWith(
                  "a route is left out: 2 tables are called \"rt\", and of which it is, is not known")));
  const auto known = tell(
      plan(tables + resource("azurerm_route.d",
                             default_route + R"(, "route_table_name": "rt", "resource_group_name": "RG-B")"),
           ""),
      "azurerm_route_table.b");
  ASSERT_TRUE(known) << known.error();
  EXPECT_THAT(known->routes, ElementsAre("0 0.0.0.0/0 10.0.2.10"));
}

TEST(Terraform, APlanThatIsNotWholeWarns) {
  const auto finding = [](const std::string& member) {
    const auto file = tell(plan(hub(both_inline), "", member));
    EXPECT_TRUE(file) << file.error();
    return file ? file->findings : std::vector<std::string>{};
  };
  EXPECT_THAT(finding(R"("errored": true, "complete": false)"),
              ElementsAre(HasSubstr("Terraform failed to make this plan")));
  EXPECT_THAT(finding(R"("complete": false)"), ElementsAre(HasSubstr("leaves changes to a later one")));
  EXPECT_THAT(finding(R"("errored": false, "complete": true)"), IsEmpty());
}

}  // namespace
}  // namespace sekisho::formats
