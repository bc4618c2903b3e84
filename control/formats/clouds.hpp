// SPDX-License-Identifier: BSD-3-Clause
// Route tables of other clouds: `aws ec2 describe-route-tables` and `gcloud compute routes list --format=json`, or what their
// APIs answer. A next hop that is one of the cloud's own becomes the next-hop type that Azure has for the same; one that is a
// resource keeps that resource's name, which a configuration may give to a next hop.
#pragma once

#include "control/formats/format.hpp"

namespace sekisho::formats {

[[nodiscard]] bool holds_aws_tables(const Content& content);
[[nodiscard]] auto read_aws_tables(const Content& content, const Options& options) -> Reading;

// Routes of each network are a table of its name.
[[nodiscard]] bool holds_gcloud_routes(const Content& content);
[[nodiscard]] auto read_gcloud_routes(const Content& content, const Options& options) -> Reading;

}  // namespace sekisho::formats
