// SPDX-License-Identifier: BSD-3-Clause
// What the linter found and what it looks for, as JSON and for people.
#pragma once

#include <span>
#include <string_view>

#include "control/check/check.hpp"
#include "control/cli/context.hpp"

namespace sekisho::cli {

[[nodiscard]] Json findings_json(std::span<const check::Finding> findings);
// Says why, too, if it is to explain.
void print_check_findings(std::span<const check::Finding> findings, bool explain);
// Of what has no error, behind its findings: nothing is good that somebody is warned of.
void print_check_verdict(std::string_view what, std::span<const check::Finding> findings);
// Refused when a finding is an error or, if it is to be strict, a warning.
[[nodiscard]] Outcome outcome_of(std::span<const check::Finding> findings, bool strict);

// All rules.
void print_rules(bool json);

}  // namespace sekisho::cli
