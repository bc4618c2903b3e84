// Route files in other forms, on standard output, a route at a time.
#pragma once

#include <cstddef>
#include <vector>

#include "control/cli/context.hpp"
#include "control/formats/route_file.hpp"

namespace sekisho::cli {

// `PREFIX NEXT-HOP` a line. Refused before anything is written: a route to a service tag, which text has no word for.
[[nodiscard]] Outcome write_text(const std::vector<formats::RouteFile>& files);

// An array of {prefix, tag, next_hop, next_hop_type, origin, label, file, line}; a route has a prefix or a tag.
void write_json(const std::vector<formats::RouteFile>& files);

// One route table as Azure's REST API takes it; its name and whether it takes BGP routes are those of the only table in the
// files, or the name is the first file's. `left_out` counts routes whose next hop only Azure makes (VNetPeering, ...).
// Refused before anything is written: next hops that are no address and no type of Azure's.
[[nodiscard]] auto write_azure(const std::vector<formats::RouteFile>& files)
    -> tl::expected<std::size_t, std::string>;

}  // namespace sekisho::cli
