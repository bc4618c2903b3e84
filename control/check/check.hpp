// SPDX-License-Identifier: BSD-3-Clause
// The linter: what will not work on Azure, or not as meant, said before it is applied. Rules only look; they know no socket.
//
// A rule has a name that scripts can rely on, one severity, a sentence on why, and what to do. It is a function of the facts; a
// fact that is not known (the addresses of interfaces that this machine does not have) makes a rule silent, never guess.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/error.hpp"
#include "control/check/facts.hpp"

namespace sekisho::check {

using base::Severity;

[[nodiscard]] std::string_view to_string(Severity severity) noexcept;  // "note", "warning", "error"

struct Offence {
  std::string where;  // "sekisho.toml:12", "udr.json: $.routes[3]"; empty: nowhere in particular
  std::string what;   // what was found, without a full stop
  friend auto operator<=>(const Offence&, const Offence&) = default;
};
using Offences = std::vector<Offence>;

struct Rule {
  std::string_view name;  // "one-half"
  Severity severity;
  std::string_view why;     // one sentence
  std::string_view remedy;  // what to do, as one sentence
  Offences (*find)(const Facts& facts);
};

// In the order of their subjects: tables, subnets, what is advertised, BGP, ports, files.
[[nodiscard]] std::span<const Rule* const> rules() noexcept;

struct Finding {
  const Rule* rule;
  Offence offence;
};
// The gravest first; of the same severity in the rules' order. Each once, however many zones share its file.
[[nodiscard]] auto check(const Facts& facts, std::span<const Rule* const> by = rules())
    -> std::vector<Finding>;

}  // namespace sekisho::check
