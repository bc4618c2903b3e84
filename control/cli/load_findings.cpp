// SPDX-License-Identifier: BSD-3-Clause
#include "control/cli/load_findings.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <iterator>

#include "control/check/check.hpp"
#include "control/formats/tables.hpp"

namespace sekisho::cli {

auto findings_of(const formats::RouteFile& file) -> std::vector<base::Finding> {
  auto result = file.findings;
  std::ranges::move(formats::repeated_routes(file), std::back_inserter(result));
  if (file.ipv6 != 0) {
    result.push_back(
        {base::Severity::note,
         {file.file, 0,
          fmt::format("{} IPv6 prefix{} left out", file.ipv6, file.ipv6 == 1 ? " is" : "es are")}});
  }
  return result;
}

void tell_findings(const std::vector<base::Finding>& findings) {
  for (const auto& finding : findings) {
    fmt::print(stderr, "{}: {}\n", check::to_string(finding.severity), finding.where.to_string());
  }
}

}  // namespace sekisho::cli
