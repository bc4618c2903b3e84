// What readers found worth a word, on standard error: what is left out must not go unsaid.
#pragma once

#include <vector>

#include "control/load/error.hpp"
#include "control/load/route_file.hpp"

namespace sekisho::cli {

// The file's own, and how many IPv6 prefixes it has.
[[nodiscard]] auto findings_of(const load::RouteFile& file) -> std::vector<load::Finding>;

void tell_findings(const std::vector<load::Finding>& findings);

}  // namespace sekisho::cli
