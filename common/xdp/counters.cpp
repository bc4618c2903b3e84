// SPDX-License-Identifier: BSD-3-Clause
#include "common/xdp/counters.hpp"

#include <algorithm>
#include <functional>

namespace sekisho::xdp {
namespace {

constexpr std::array<const char*, sekisho_steer_verdict_count> verdict_names{
#define VERDICT(name) #name,
    SEKISHO_STEER_VERDICTS(VERDICT)
#undef VERDICT
};

}  // namespace

Counts sum_of(Counts counts, const Counts& more) {
  std::ranges::transform(counts, more, counts.begin(), std::plus<>());
  return counts;
}

Counts carried_by(const sekisho_steer_state& state) {
  Counts counts;
  std::ranges::copy(state.carried, counts.begin());
  return counts;
}

NamedCounts named(const Counts& counts) {
  NamedCounts by_name;
  for (std::size_t verdict = 0; verdict < counts.size(); ++verdict) {
    by_name[verdict_names[verdict]] = counts[verdict];
  }
  return by_name;
}

NamedCounts counters_of(int ifindex) {
  const auto program = attached_program(ifindex);
  if (!program || !program->is_steering()) {
    return {};
  }
  const auto state = find_map(*program, "state");
  const auto verdicts = find_map(*program, "verdicts");
  return state.valid() && verdicts.valid()
             ? named(sum_of(carried_by(read_state(state)), read_verdicts(verdicts)))
             : NamedCounts{};
}

}  // namespace sekisho::xdp
