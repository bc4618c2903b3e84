// SPDX-License-Identifier: BSD-3-Clause
// Each rule against whole configurations, as an operator has them: files in a folder, read by policy::read. A case names what is
// found of one rule, nothing among it.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "control/check/check.hpp"
#include "control/check/gather.hpp"
#include "control/check/nics.hpp"
#include "control/config/addresses.hpp"
#include "control/policy/policy.hpp"
#include "tests/unit/check/cases.hpp"
#include "tests/unit/sample_policy.hpp"
#include "tests/unit/temporary_folder.hpp"

namespace sekisho::check {
namespace {

// What is left of the places becomes comments.
auto configuration(const std::vector<Edit>& edits) -> std::string {
  std::string text{good_configuration};
  for (const auto& edit : edits)
    text = test::replaced(std::move(text), edit.old, edit.text);
  for (auto at = text.find("\n@"); at != std::string::npos; at = text.find("\n@"))
    text[at + 1] = '#';
  return text;
}

class Folder {
 public:
  auto check(const std::string& text, const Files& files, const Lines& interfaces = {},
             const Files& nics = {}) const -> std::vector<Finding> {
    netlink::Mirror mirror;
    for (const auto& each : interfaces) {
      const auto name = each.substr(0, each.find(' '));
      const int index = static_cast<int>(mirror.links.size()) + 1;
      mirror.links[index] = {
          .index = index, .name = name, .mtu = 1500, .kind = name.starts_with("veth") ? "veth" : ""};
      if (const auto address = each.substr(name.size()); !address.empty())
        mirror.addresses[index] = {*config::parse_interface_address(address.substr(1))};
    }
    folder_.write("tags.json", test::service_tags);
    for (const auto& [name, content] : files)
      folder_.write(name, content);
    const auto policy = policy::read(folder_.write("sekisho.toml", text));
    if (!policy)
      return check::check(gather(policy.error()));
    auto facts = gather(*policy, interfaces.empty() ? nullptr : &mirror, [](std::uint32_t address) {
      return address >> 8U == (10U << 16U | 3U);  // and to all else there is a route
    });
    if (!facts)
      return check::check(gather(facts.error()));
    for (const auto& [name, content] : nics) {
      const auto told = read_nics(folder_.write(name, content));
      facts->nics.insert(facts->nics.end(), told->begin(), told->end());
    }
    return check::check(*facts);
  }
  auto check_alone(const Files& files, FilesAlone alone) const -> std::vector<Finding> {
    for (const auto& [name, content] : files)
      alone.files.push_back({folder_.write(name, content), {}});
    const auto facts = gather(alone);
    return check::check(facts ? *facts : gather(facts.error()));
  }
  auto shorten(std::string text) const -> std::string { return folder_.shorten(std::move(text)); }
  auto lines(const std::vector<Finding>& findings, std::string_view rule) const -> Lines {
    Lines result;
    for (const auto& finding : findings)
      if (finding.rule->name == rule)
        result.push_back(shorten(finding.offence.where + ": " + finding.offence.what));
    return result;
  }
  [[nodiscard]] auto path() const -> const std::filesystem::path& { return folder_.path(); }

 private:
  test::TemporaryFolder folder_;
};

auto cases() -> const std::vector<Case>& {
  static const auto all = [] {
    std::vector<Case> result;
    for (auto part : {advertised_cases(), table_cases(), member_cases(), way_cases(), subnet_cases(),
                      port_cases(), file_cases(), azure_cases()})
      std::ranges::move(part, std::back_inserter(result));
    return result;
  }();
  return all;
}

TEST(Check, NoRuleFindsAnythingInAGoodConfiguration) {
  const Folder folder;
  for (const auto& finding : folder.check(configuration({}), {}))
    ADD_FAILURE() << finding.rule->name << ": " << folder.shorten(finding.offence.where) << ": "
                  << finding.offence.what;
}

TEST(Check, EachRuleFindsWhatItIsForAndNothingElse) {
  for (const auto& test : cases()) {
    const Folder folder;
    const auto findings =
        test.alone.empty() ? folder.check(configuration(test.edits), test.files, test.interfaces, test.nics)
                           : folder.check_alone(test.alone, {.gateway = test.gateway});
    EXPECT_EQ(folder.lines(findings, test.rule), test.expected) << test.rule << ": " << test.why;
  }
}

TEST(Check, EveryRuleHasACaseThatTriggersItAndOneThatDoesNot) {
  std::set<std::string_view> triggered;
  std::set<std::string_view> silent;
  for (const auto& test : cases())
    (test.expected.empty() ? silent : triggered).insert(test.rule);
  std::set<std::string_view> names;
  for (const auto* rule : rules()) {
    EXPECT_TRUE(names.insert(rule->name).second) << rule->name;
    EXPECT_TRUE(triggered.contains(rule->name)) << rule->name;
    EXPECT_TRUE(silent.contains(rule->name)) << rule->name;
    EXPECT_TRUE(rule->why.ends_with('.') && rule->remedy.ends_with('.')) << rule->name;
  }
  for (const auto name : triggered)
    EXPECT_TRUE(names.contains(name)) << name;
}

TEST(Check, TheGravestFirst) {
  const Folder folder;
  const auto findings =
      folder.check(configuration({{"@lan", "mtu = 9000"},
                                  {"[\"0.0.0.0/0\"]", "[\"0.0.0.0/0\", \"10.0.2.0/24\"]"},
                                  {"@onprem", R"({ prefix = "168.63.129.16/32", next_hop = "firewall" },)"}}),
                   {});
  Lines order;
  for (const auto& finding : findings)
    order.push_back(fmt::format("{} {}", to_string(finding.rule->severity), finding.rule->name));
  EXPECT_EQ(order, (Lines{"error host-address-captured", "warning mtu-above-1500", "note sources-overlap"}));
}

TEST(Check, WhatTheKernelSaysOfAnInterfaceCounts) {
  const test::TemporaryFolder folder;
  const auto file = folder.write("sekisho.toml", R"([port.lan]
device = "af_xdp:lan0"
[next_hop.near]
members = ["10.0.1.10"]
[next_hop.far]
members = ["10.0.9.10"]
[zone.lan]
port = ["lan"]
sources = ["0.0.0.0/0"]
routes = [{ prefix = "10.0.0.0/8", next_hop = "near" }]
)");
  const auto policy = policy::read(file);
  ASSERT_TRUE(policy) << policy.error().to_string();
  const auto found_with = [&](const netlink::Mirror* mirror) {
    Lines result;
    for (const auto& finding : check::check(*gather(*policy, mirror)))
      result.push_back(finding.offence.what);
    return result;
  };
  EXPECT_EQ(found_with(nullptr), Lines{});
  netlink::Mirror mirror;
  mirror.links[3] = {.index = 3, .name = "lan0"};
  mirror.addresses[3] = {{10U << 24 | 1U << 8 | 4, 24}};
  EXPECT_EQ(found_with(&mirror), (Lines{"member 10.0.9.10 of next hop far is in no port's subnet"}));
}

// The interfaces of this machine.
TEST(Check, InterfacesAreLookedFor) {
  const test::TemporaryFolder folder;
  const auto policy = policy::read(folder.write("sekisho.toml", R"(
[port.egress]
device = "af_xdp:egress0"
[port.lan]
device = "af_xdp:lan0"
[zone.all]
port = ["egress", "lan"]
sources = ["0.0.0.0/0"]
connected = true
)"));
  ASSERT_TRUE(policy) << policy.error().to_string();
  const auto found_with = [&](const netlink::Mirror* mirror) {
    Lines result;
    for (const auto& finding : check::check(*gather(*policy, mirror)))
      result.push_back(fmt::format("{} in line {}: {}", finding.rule->name,
                                   finding.offence.where.substr(finding.offence.where.rfind(':') + 1),
                                   finding.offence.what));
    return result;
  };
  EXPECT_EQ(found_with(nullptr), Lines{}) << "nothing is known";
  netlink::Mirror mirror;
  mirror.links[3] = {.index = 3, .name = "lan0", .mtu = 1500};
  EXPECT_EQ(found_with(&mirror),
            (Lines{"no-interface in line 2: port egress: there is no interface egress0"}));
  mirror.links[4] = {.index = 4, .name = "egress0", .mtu = 1400};
  EXPECT_EQ(found_with(&mirror),
            (Lines{"mtu-differs in line 4: port lan has an MTU of 1500, and port egress of 1400"}));
  const auto of_both = [](const std::string& rule, const std::string& what) {
    return Lines{fmt::format("{} in line 2: port egress has an MTU of {}", rule, what),
                 fmt::format("{} in line 4: port lan has an MTU of {}", rule, what)};
  };
  const auto both = [](Lines lines, const Lines& more) {
    lines.insert(lines.end(), more.begin(), more.end());
    return lines;
  };
  mirror.links[3].mtu = mirror.links[4].mtu = 1774;
  EXPECT_EQ(found_with(&mirror), of_both("mtu-above-1500", "1774")) << "which usual packet buffers take";
  mirror.links[3].mtu = mirror.links[4].mtu = 1775;
  EXPECT_EQ(found_with(&mirror),
            both(of_both("mtu-above-1500", "1775"),
                 of_both("mtu-beyond-buffers",
                         "1775, for which sekisho-dataplane is to be started with --mtu 1775")));
  mirror.links[3].mtu = mirror.links[4].mtu = 9000;
  EXPECT_EQ(found_with(&mirror),
            both(of_both("mtu-above-1500", "9000"),
                 of_both("mtu-beyond-buffers", "9000, more than the 3498 that AF_XDP takes")));
  mirror.links[3].mtu = mirror.links[4].mtu = 1500;
  EXPECT_EQ(found_with(&mirror), Lines{});
  mirror.links[3].kind = "bond";
  mirror.links[4].kind = "veth";
  EXPECT_EQ(found_with(&mirror), (Lines{"vlan-tags-unseen in line 2: port egress is an end of a veth pair"}));
}

TEST(Check, RouteTablesWithoutAConfiguration) {
  const Folder folder;
  const auto findings = folder.check_alone(
      {{"a.json", udr({.routes = {{"0.0.0.0/1", "Internet"}, {"168.63.129.16/32", "Internet"}}})},
       {"b.txt", "23.97.0.13/32 Internet\n"},
       {"c.json", many_routes(601)}},
      {.files = {}, .service_tags = {}, .cloud = "public"});
  Lines found;
  for (const auto& finding : findings)
    found.push_back(folder.shorten(
        fmt::format("{} {}: {}", finding.rule->name, finding.offence.where, finding.offence.what)));
  EXPECT_EQ(found, (Lines{"host-address-captured a.json: route r1: a.json sends 168.63.129.16 to Internet",
                          "one-half a.json: route r0: 0.0.0.0/1 stands in a.json without 128.0.0.0/1",
                          "kms-incomplete b.txt:1: b.txt sends 23.97.0.13 to Internet, but not 52.126.105.2",
                          "kms-of-another-cloud b.txt:1: b.txt has exceptions for the key management servers "
                          "of cloud usgov, and this is public",
                          "table-too-long c.json: route table spoke-rt has 601 routes",
                          "internet-needs-outbound a.json: route r0: 0.0.0.0/1 goes to the Internet by the "
                          "subnet's own outbound"}));
}

TEST(Check, ATagThatNoFileExplainsIsLeftAlone) {
  const Folder folder;
  const Files files{{"a.json", udr({.routes = {{"AzureCloud", "Internet"}}})}};
  EXPECT_TRUE(folder.check_alone(files, {}).empty());
}

TEST(Check, AnUnreadableFileIsRefused) {
  const Folder folder;
  const auto none =
      gather(FilesAlone{.files = {{folder.path() / "none.json", {}}}, .service_tags = {}, .cloud = {}});
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().file, folder.path() / "none.json");
  EXPECT_FALSE(gather(FilesAlone{.files = {}, .service_tags = folder.path() / "none.json", .cloud = {}}));
}

TEST(Check, TheShippedExampleHasNoErrorsAndNoWarnings) {
  const auto policy = policy::read(std::filesystem::path{SEKISHO_EXAMPLES} / "halves.toml");
  ASSERT_TRUE(policy) << policy.error().to_string();
  const auto facts = gather(*policy, nullptr);
  ASSERT_TRUE(facts);
  for (const auto& finding : check::check(*facts))
    EXPECT_EQ(finding.rule->severity, Severity::note) << finding.rule->name << ": " << finding.offence.what;
}

}  // namespace
}  // namespace sekisho::check
