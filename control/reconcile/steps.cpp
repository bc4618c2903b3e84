// SPDX-License-Identifier: BSD-3-Clause
#include "control/reconcile/steps.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <iterator>
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

std::size_t changes_of(const Overrides& overrides) {
  std::size_t result = 0;
  for (const auto& request : overrides.requests) {
    result += request.changes.size();
  }
  return result;
}

// Takes the later along where both wait.
bool takes_along(Step& first, Step& later) {
  auto* before = std::get_if<Overrides>(&first.from);
  auto* after = std::get_if<Overrides>(&later.from);
  if (before == nullptr || after == nullptr || before->is_alone ||
      changes_of(*before) + changes_of(*after) > serve::most_changes) {
    return false;
  }
  std::ranges::move(after->requests, std::back_inserter(before->requests));
  first.tickets.insert(first.tickets.end(), later.tickets.begin(), later.tickets.end());
  return true;
}

}  // namespace

auto Step::part_from(std::size_t first) -> Step {
  auto& requests = std::get<Overrides>(from).requests;
  const auto at = static_cast<std::ptrdiff_t>(first);
  Step rest{.tickets = {tickets.begin() + at, tickets.end()},
            .policy = nullptr,
            .from = Overrides{.requests = {std::make_move_iterator(requests.begin() + at),
                                           std::make_move_iterator(requests.end())}},
            .is_verified = true};
  tickets.resize(first);
  requests.resize(first);
  return rest;
}

std::string Step::name() const {
  if (is_learned()) {
    return "what is learned";
  }
  const auto* overrides = std::get_if<Overrides>(&from);
  if (overrides == nullptr) {
    return "reload";
  }
  constexpr std::size_t most_named = 4;
  const auto& requests = overrides->requests;
  auto result = "route " + serve::to_string(requests.front());
  for (std::size_t i = 1; i < std::min(requests.size(), most_named); ++i) {
    result += ", " + serve::to_string(requests[i]);
  }
  return requests.size() > most_named ? fmt::format("{} and {} more", result, requests.size() - most_named)
                                      : result;
}

void Steps::push(Step step) {
  if (!steps_.empty() && gives_way(steps_.back(), step)) {
    step.tickets.insert(step.tickets.begin(), steps_.back().tickets.begin(), steps_.back().tickets.end());
    steps_.pop_back();
  }
  if (steps_.empty() || !takes_along(steps_.back(), step)) {
    steps_.push_back(std::move(step));
  }
}

void Steps::put_back_apart(Step step) {
  auto& requests = std::get<Overrides>(step.from).requests;
  for (auto i = requests.size(); i-- != 0;) {
    steps_.push_front({.tickets = {step.tickets[i]},
                       .policy = nullptr,
                       .from = Overrides{.requests = {std::move(requests[i])}, .is_alone = true},
                       .is_verified = true});
  }
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
