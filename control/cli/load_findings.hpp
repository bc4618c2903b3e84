// SPDX-License-Identifier: BSD-3-Clause
// What readers found worth a word, on standard error: what is left out must not go unsaid.
#pragma once

#include <vector>

#include "common/base/error.hpp"
#include "control/formats/route_file.hpp"

namespace sekisho::cli {

// The file's own, and how many IPv6 prefixes it has.
[[nodiscard]] auto findings_of(const formats::RouteFile& file) -> std::vector<base::Finding>;

void tell_findings(const std::vector<base::Finding>& findings);

}  // namespace sekisho::cli
