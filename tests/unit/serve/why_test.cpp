// SPDX-License-Identifier: BSD-3-Clause
#include "control/serve/why.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "common/base/prefix.hpp"
#include "control/policy/policy.hpp"

namespace sekisho::serve {
namespace {

using route::Origin;

struct Candidate {
  std::string prefix;
  Origin origin = Origin::user;
  std::string source = "a file";
};

// The reasons of all candidates that cover 10.0.0.1, in their order.
auto reasons(const std::vector<Candidate>& candidates) -> std::vector<std::string> {
  policy::Policy policy;
  policy::ZonePolicy zone;
  for (const auto& candidate : candidates)
    zone.table.add({.prefix = base::parse_prefix(candidate.prefix).value(),
                    .origin = candidate.origin,
                    .source = policy.names.intern(candidate.source)});
  zone.table.finish();
  const auto covering = zone.table.covering(10U << 24 | 1U);
  std::vector<std::string> result;
  for (std::size_t i = 0; i < covering.size(); ++i)
    result.push_back(why(policy, zone, covering, i));
  return result;
}

using Lines = std::vector<std::string>;

TEST(Why, OriginsThatAzureCallsTheSameAreToldApart) {
  EXPECT_EQ(reasons({{"10.0.0.0/8", Origin::user_cloud_tag},
                     {"10.0.0.0/8", Origin::user_regional_cloud_tag},
                     {"10.0.0.0/8", Origin::user_tag},
                     {"10.0.0.0/8", Origin::user_regional_tag},
                     {"10.0.0.0/8", Origin::user}}),
            (Lines{"an explicit route before a region's service tag",
                   "an explicit route goes before a region's service tag",
                   "an explicit route goes before a service tag",
                   "an explicit route goes before a region of AzureCloud",
                   "an explicit route goes before AzureCloud"}));
  EXPECT_EQ(reasons({{"10.0.0.0/8", Origin::system}, {"10.0.0.0/8", Origin::vnet}}),
            (Lines{"a System route of the VNet before another System route",
                   "a System route of the VNet goes before another System route"}));
  EXPECT_EQ(reasons({{"10.0.0.0/8", Origin::system}, {"10.0.0.0/8", Origin::user_tag}}),
            (Lines{"User before System", "User goes before System"}));
}

TEST(Why, BgpGivesWayToTheVnet) {
  EXPECT_EQ(
      reasons({{"10.0.0.0/16", Origin::vnet}, {"10.0.0.0/24", Origin::bgp}, {"0.0.0.0/1", Origin::bgp}}),
      (Lines{"longest prefix", "shorter than 10.0.0.0/16", "BGP gives way to the VNet's 10.0.0.0/16"}));
}

TEST(Why, AnOverrideSaysSo) {
  const std::string change{policy::override_source};
  EXPECT_EQ(reasons({{"10.0.0.0/8"}, {"10.0.0.0/8", Origin::user_tag}, {"10.0.0.0/8", Origin::user, change}}),
            (Lines{"an override", "replaced by an override", "replaced by an override"}));
  EXPECT_EQ(reasons({{"10.0.0.0/8"}, {"10.0.0.0/8"}}), (Lines{"last of two", "replaced by a later line"}));
  EXPECT_EQ(reasons({{"10.0.0.0/8", Origin::user, change}}), (Lines{"the only route that covers it"}));
}

}  // namespace
}  // namespace sekisho::serve
