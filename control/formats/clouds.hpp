// SPDX-License-Identifier: BSD-3-Clause
// Route tables of other clouds: `aws ec2 describe-route-tables` and `gcloud compute routes list --format=json`, or what their
// APIs answer. A next hop of which a network has but one (itself, the Internet) becomes the next-hop type that Azure has for the
// same; one of several (a NAT gateway, a peering, a tunnel) keeps its own name, which a configuration may give to a next hop.
#pragma once

#include "control/formats/format.hpp"

namespace sekisho::formats {

[[nodiscard]] bool holds_aws_tables(const Content& content);
[[nodiscard]] auto read_aws_tables(const Content& content, const Options& options) -> Reading;

// Routes of each network are a table of its name. A packet goes by the lowest priority, and is shared among the next hops that
// have it in common.
[[nodiscard]] bool holds_gcloud_routes(const Content& content);
[[nodiscard]] auto read_gcloud_routes(const Content& content, const Options& options) -> Reading;

}  // namespace sekisho::formats
