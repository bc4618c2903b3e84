// SPDX-License-Identifier: BSD-3-Clause
// Azure's JSON: route tables as `az network route-table` flattens them and as REST and ARM nest them in "properties", lists of
// either (a bare array; {"value": [...]}), ARM template exports with inline and child routes; and effective routes, whose rows
// of one learned prefix are one route with several next hops. Next-hop types and property names are compared without regard to
// case; an unknown property is a finding, an unknown next-hop type an error.
//
// A template's routes are mostly expressions. Those that need nothing but the template are worked out: parameters (what a
// parameters file or the deployment around passes, else the defaultValue: without a file, a note), variables, copy loops,
// and the functions of arm_functions.hpp, with map() and filter(). `environment()` is taken for the public cloud, and a condition that cannot be known for true: both are
// warnings. A route that depends on anything else is left out and a finding of Severity::error names it: who forwards by the
// table has to refuse such a file, who shows it need not.
//
// A route's name may stand once in its table; only a child resource may repeat what the table says inline, as the portal
// exports it. A list that goes on behind its nextLink is refused. No file larger or deeper nested than json.hpp allows is
// read.
#pragma once

#include "control/formats/format.hpp"

namespace sekisho::formats {

[[nodiscard]] bool holds_route_tables(const Content& content);
[[nodiscard]] auto read_route_tables(const Content& content, const Options& options) -> Reading;

[[nodiscard]] bool holds_template(const Content& content);
[[nodiscard]] auto read_template_file(const Content& content, const Options& options) -> Reading;

[[nodiscard]] bool holds_effective_routes(const Content& content);
[[nodiscard]] auto read_effective_file(const Content& content, const Options& options) -> Reading;

// Every tag that can be routed is a destination without a next hop.
[[nodiscard]] bool holds_service_tags(const Content& content);
[[nodiscard]] auto read_service_tag_routes(const Content& content, const Options& options) -> Reading;

}  // namespace sekisho::formats
