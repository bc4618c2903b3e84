// SPDX-License-Identifier: BSD-3-Clause
#include "control/reconcile/steps.hpp"

#include <algorithm>
#include <utility>

#include "control/policy/learned.hpp"
#include "control/serve/override.hpp"

namespace sekisho::reconcile {
namespace {

bool gives_way(const Step& first, const Step& later) {
  const auto* before = std::get_if<serve::Sources>(&first.from);
  const auto* after = std::get_if<serve::Sources>(&later.from);
  return before != nullptr && after != nullptr && first.force == later.force &&
         before->policy == after->policy;
}

}  // namespace

std::string Step::name() const {
  if (is_learned()) {
    return "what is learned";
  }
  const auto* request = override_request();
  return request == nullptr ? "reload" : "route " + serve::to_string(*request);
}

void Steps::push(Step step) {
  if (!steps_.empty() && gives_way(steps_.back(), step)) {
    step.tickets.insert(step.tickets.begin(), steps_.back().tickets.begin(), steps_.back().tickets.end());
    steps_.pop_back();
  }
  steps_.push_back(std::move(step));
}

auto Steps::pop() -> Step {
  auto step = std::move(steps_.front());
  steps_.pop_front();
  return step;
}

auto Steps::take_guarded_by(std::uint64_t guard) -> std::optional<Step> {
  const auto found = std::ranges::find(steps_, guard, &Step::guard);
  if (found == steps_.end()) {
    return std::nullopt;
  }
  auto step = std::move(*found);
  steps_.erase(found);
  return step;
}

bool Steps::ends_with(const std::shared_ptr<const policy::Policy>& policy) const {
  return !steps_.empty() && steps_.back().policy &&
         policy::plain(steps_.back().policy) == policy::plain(policy);
}

}  // namespace sekisho::reconcile
