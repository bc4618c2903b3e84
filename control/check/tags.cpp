// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include "control/check/rules.hpp"

namespace sekisho::check {
namespace {

auto find_tag_without_udr(const Facts& facts) -> Offences {
  Offences result;
  if (!facts.tags)
    return result;
  for (const auto& use : facts.tag_uses)
    if (const auto* tag = facts.tags->find(use.tag); tag != nullptr && !tag->routable)
      result.push_back({use.where, fmt::format("{} is routed by", tag->name)});
  return result;
}

auto find_tag_without_ipv4(const Facts& facts) -> Offences {
  Offences result;
  if (!facts.tags)
    return result;
  for (const auto& use : facts.tag_uses)
    if (const auto* tag = facts.tags->find(use.tag); tag != nullptr && tag->prefixes.empty())
      result.push_back({use.where, fmt::format("{} has no IPv4 prefix", tag->name)});
  return result;
}

}  // namespace

const Rule tag_without_udr{"tag-without-udr", Severity::warning,
                           "The service tag file does not offer this tag for user-defined routes (UDR in "
                           "networkFeatures). Of AzureCloud that "
                           "contradicts Azure's documents, which route by it; other tags Azure refuses.",
                           "Route by tags that have UDR; what AzureCloud covers is nearly all of Azure, "
                           "customers' machines with it.",
                           find_tag_without_udr};

const Rule tag_without_ipv4{"tag-without-ipv4", Severity::warning,
                            "The appliance forwards IPv4: a tag that has no such prefix routes nothing.",
                            "Remove the route, or name the tag that was meant.", find_tag_without_ipv4};

}  // namespace sekisho::check
