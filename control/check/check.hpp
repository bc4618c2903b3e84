// The linter: what will not work on Azure, or not as meant, said before it is applied. Rules only look; they know no socket.
//
// A rule has a name that scripts can rely on, one severity, a sentence on why, and what to do. It is a function of the facts; a
// fact that is not known (the addresses of interfaces that this machine does not have) makes a rule silent, never guess.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "control/load/error.hpp"
#include "control/load/route_file.hpp"
#include "control/load/service_tags.hpp"
#include "control/policy/policy.hpp"
#include "dataplane/fib/prefix.hpp"

namespace sekisho::check {

using load::Severity;

struct Facts {
  const policy::Policy& policy;
  // By port, as in the configuration: its subnets; nullopt: not known here.
  std::vector<std::optional<std::vector<fib::Prefix>>> connected;
  // By port: the route table of its subnet in Azure; nullopt: the configuration names none.
  std::vector<std::optional<load::RouteFile>> subnet_routes;
  const load::ServiceTags* tags = nullptr;  // null: none configured
};

struct Offence {
  std::string where;  // "sekisho.toml:12", "udr.json: $.routes[3]"; empty: nowhere in particular
  std::string what;   // one sentence: what was found
};

struct Rule {
  std::string_view name;  // "one-half"
  Severity severity;
  std::string_view why;     // one sentence
  std::string_view remedy;  // what to do
  std::vector<Offence> (*find)(const Facts& facts);
};

[[nodiscard]] std::span<const Rule> rules() noexcept;

struct Finding {
  const Rule* rule;
  Offence offence;
};
// The gravest first; of the same severity in the rules' order.
[[nodiscard]] auto check(const Facts& facts) -> std::vector<Finding>;

}  // namespace sekisho::check
