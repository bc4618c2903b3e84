// SPDX-License-Identifier: BSD-3-Clause
// The text route file: `PREFIX [NEXT-HOP]` a line, blanks or tabs between, `#` comments, blank lines. A next hop is a name
// of the configuration, one of Azure's next-hop types ("None"), an IPv4 address, or several with commas between; "-" or
// nothing means the default that the caller gives.
#pragma once

#include <filesystem>
#include <string_view>
#include <tl/expected.hpp>

#include "common/base/error.hpp"
#include "control/formats/route_file.hpp"

namespace sekisho::formats {

[[nodiscard]] auto parse_text(std::string_view text, const std::filesystem::path& file)
    -> tl::expected<RouteFile, base::Error>;

}  // namespace sekisho::formats
