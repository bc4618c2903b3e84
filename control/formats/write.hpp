// SPDX-License-Identifier: BSD-3-Clause
// Route files in other forms, a route at a time: what reader.hpp reads again.
#pragma once

#include <cstddef>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "control/formats/route_file.hpp"

namespace sekisho::formats {

// Takes the next piece of a document. Errors are one sentence, and nothing was written then.
using Sink = std::function<void(std::string_view)>;

// `PREFIX NEXT-HOP` a line; nothing is left out. Refused: a route to a service tag, which text has no word for.
[[nodiscard]] auto write_text(const std::vector<RouteFile>& files, const Sink& sink)
    -> tl::expected<std::size_t, std::string>;

// {prefix, tag, next_hop, next_hop_type, origin, label, file, line} of each route, which has a prefix or a tag.
void write_json(const std::vector<RouteFile>& files,
                const std::function<void(const nlohmann::ordered_json&)>& each);

// One route table as Azure's REST API takes it; its name and whether it takes BGP routes are those of the only table in the
// files, or the name is the first file's. Gives how many routes are left out because their next hop only Azure makes
// (VNetPeering, ...). Refused: next hops that are no address and no type of Azure's.
[[nodiscard]] auto write_azure(const std::vector<RouteFile>& files, const Sink& sink)
    -> tl::expected<std::size_t, std::string>;

}  // namespace sekisho::formats
