// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include "control/check/place.hpp"
#include "control/check/rules.hpp"
#include "control/prove/prove.hpp"

namespace sekisho::check {
namespace {

auto find_false(const Facts& facts, bool built_in) -> Offences {
  Offences result;
  const prove::Prover prover{*facts.policy};
  for (std::size_t i = 0; i < prover.size(); ++i) {
    if (prover.is_built_in(i) != built_in)
      continue;
    if (const auto proof = prover.prove(i); !proof.holds)
      result.push_back(
          {place(facts, proof.line), fmt::format("\"{}\" {}", proof.name, prove::sentence(proof))});
  }
  return result;
}

}  // namespace

const Rule assertion_false{
    "assertion", Severity::error,
    "An [[assert]] is what whoever wrote it relies on. It was decided for every packet "
    "of which it speaks, and there are some for which it is not so.",
    "Mend the route that is named, or say in the assertion what is really meant.",
    [](const Facts& facts) { return find_false(facts, false); }};

const Rule internet_past_firewall{
    "past-the-firewall", Severity::error,
    "A zone with internet = true reaches the Internet by its firewall, and by "
    "exceptions that are named: User routes that have their next hop by name or "
    "address, or lead to the Internet. What another type of Azure's stands for, or a "
    "BGP peer, takes elsewhere, nobody of this appliance decided.",
    "Leave the route out; or name it among the zone's routes; or, where the prefix "
    "is a network of your own, among a zone's sources. With assert = false in "
    "[internet] nobody looks, and an [[assert]] can say what is meant instead.",
    [](const Facts& facts) { return find_false(facts, true); }};

}  // namespace sekisho::check
