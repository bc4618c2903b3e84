// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <algorithm>

#include "control/check/place.hpp"
#include "control/check/rules.hpp"

namespace sekisho::check {
namespace {

auto find_refused(const Facts& facts) -> Offences {
  if (!facts.refusal || !internet_without_exit.find(facts).empty())
    return {};
  return {{place(*facts.refusal), facts.refusal->reason}};
}

auto find_in_files(const Facts& facts, Severity severity) -> Offences {
  Offences result;
  for (const auto& finding : facts.file_findings)
    if (finding.severity == severity)
      result.push_back({place(finding.where), finding.where.reason});
  return result;
}

auto find_file_errors(const Facts& facts) -> Offences {
  return find_in_files(facts, Severity::error);
}
auto find_file_warnings(const Facts& facts) -> Offences {
  return find_in_files(facts, Severity::warning);
}
auto find_file_notes(const Facts& facts) -> Offences {
  return find_in_files(facts, Severity::note);
}

}  // namespace

const Rule refused{"refused", Severity::error,
                   "A configuration is either whole or refused: sekisho-control does not start with it, and "
                   "a reload changes "
                   "nothing.",
                   "Correct what the sentence names.", find_refused};

const Rule file_error{
    "file-error", Severity::error,
    "A reader has left routes out that the file does not tell: a template may leave them to who deploys it.",
    "Name a file that tells them: `az network route-table show` prints the table once a template is "
    "deployed, and `terraform show -json` the state once a plan is applied.",
    find_file_errors};

const Rule file_warning{
    "file-warning", Severity::warning,
    "A reader has understood a file and found what is probably not meant: a property that it does not "
    "know may change a route's meaning in Azure.",
    "Correct the file, or see to it that what is left out does not matter.", find_file_warnings};

const Rule file_note{"file-note", Severity::note, "A reader has left something of a file out, IPv6 say.",
                     "Nothing, if it is not missed.", find_file_notes};

}  // namespace sekisho::check
