// SPDX-License-Identifier: BSD-3-Clause
// A text file of routes, changed so that nothing that somebody wrote is lost: a line that no longer holds stays as a comment.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "common/base/prefix.hpp"

namespace sekisho::cli {

// What a file is to say of each prefix: its next hop; none: nothing.
using WantedRoutes = std::map<base::Prefix, std::optional<std::string>>;

// The text with these routes and no others of their prefixes. One that stands there is replaced in its place, a new one added at the
// end; `mark`, a line of comment without its "#", says above each change what was done. The error is a sentence: it is no text of routes.
[[nodiscard]] auto with_routes(std::string_view text, const WantedRoutes& wanted, std::string_view mark,
                               const std::filesystem::path& file) -> tl::expected<std::string, std::string>;

}  // namespace sekisho::cli
