// SPDX-License-Identifier: BSD-3-Clause
#include "control/cli/check_findings.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "control/cli/output.hpp"

namespace sekisho::cli {
namespace {

using check::Finding;
using check::Rule;
using check::Severity;

constexpr int severity_width = 9;

Tone tone_of(Severity severity) {
  return severity == Severity::error     ? Tone::bad
         : severity == Severity::warning ? Tone::heading
                                         : Tone::plain;
}

std::string severity_column(Severity severity) {
  const auto word = check::to_string(severity);
  return fmt::format("{}{:{}}", toned(word, tone_of(severity)), "",
                     severity_width - static_cast<int>(word.size()));
}

void print_why(const Rule& rule) {
  fmt::print("{:{}}{}\n", "", severity_width, rule.why);
}

void print_remedy(const Rule& rule) {
  fmt::print("{:{}}-> {}\n", "", severity_width, rule.remedy);
}

auto count(std::span<const Finding> findings, Severity severity) -> std::size_t {
  return static_cast<std::size_t>(
      std::ranges::count(findings, severity, [](const Finding& finding) { return finding.rule->severity; }));
}

std::string plural(std::size_t number, std::string_view noun) {
  return fmt::format("{} {}{}", number, noun, number == 1 ? "" : "s");
}

Json rule_json(const Rule& rule) {
  return {{"rule", rule.name},
          {"severity", check::to_string(rule.severity)},
          {"why", rule.why},
          {"remedy", rule.remedy}};
}

}  // namespace

Json findings_json(std::span<const Finding> findings) {
  auto result = Json::array();
  for (const auto& [rule, offence] : findings) {
    auto finding = rule_json(*rule);
    finding["where"] = offence.where.empty() ? Json(nullptr) : Json(offence.where);
    finding["what"] = offence.what;
    result.push_back(std::move(finding));
  }
  return result;
}

// What several findings of a rule have in common is said once, behind the last.
void print_check_findings(std::span<const Finding> findings, bool explain) {
  for (std::size_t i = 0; i < findings.size(); ++i) {
    const auto& [rule, offence] = findings[i];
    fmt::print("{}{}: {}{}{}\n", severity_column(rule->severity), rule->name, offence.where,
               offence.where.empty() ? "" : ": ", offence.what);
    if (i + 1 == findings.size() || findings[i + 1].rule != rule) {
      if (explain) {
        print_why(*rule);
      }
      print_remedy(*rule);
    }
  }
}

void print_check_verdict(std::string_view what, std::span<const Finding> findings) {
  const auto warnings = count(findings, Severity::warning);
  fmt::print("{} {}\n", what,
             warnings == 0 ? toned("is good", Tone::good)
                           : fmt::format("has no error and {}", plural(warnings, "warning")));
}

Outcome outcome_of(std::span<const Finding> findings, bool strict) {
  const auto errors = count(findings, Severity::error);
  const auto warnings = count(findings, Severity::warning);
  if (errors == 0 && (!strict || warnings == 0)) {
    return {};
  }
  return tl::unexpected{strict
                            ? fmt::format("{} and {}", plural(errors, "error"), plural(warnings, "warning"))
                            : plural(errors, "error")};
}

void print_rules(bool json) {
  if (json) {
    auto rules = Json::array();
    for (const auto* rule : check::rules()) {
      rules.push_back(rule_json(*rule));
    }
    print_json(rules);
    return;
  }
  for (const auto* rule : check::rules()) {
    fmt::print("{}{}\n", severity_column(rule->severity), toned(rule->name, Tone::heading));
    print_why(*rule);
    print_remedy(*rule);
  }
}

}  // namespace sekisho::cli
