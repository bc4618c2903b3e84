// SPDX-License-Identifier: BSD-3-Clause
// The queue of policies: reloads, overrides and rehearsals that wait for their turn, in the order in which they came. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "control/policy/policy.hpp"
#include "control/reconcile/event.hpp"
#include "control/serve/backend.hpp"

namespace sekisho::reconcile {

// All of a reload but its transaction.
struct Rehearsal {};
// The policy that runs, with what has been learned by now. Nobody asked for it, and it waits for nobody's turn.
struct LearnedRoutes {};

// What was asked by `sekisho route`, each by a ticket of the step's, in the same order.
struct Overrides {
  std::vector<serve::RouteRequest> requests;
  bool is_alone = false;  // of several that were refused together: one of them, by itself
};

// Another policy: what the files say, or an override of what runs when its turn has come.
struct Step {
  std::vector<Ticket> tickets;                   // of those who asked for it
  std::shared_ptr<const policy::Policy> policy;  // null: an override's, whose turn has not come
  std::variant<serve::Sources, Overrides, Rehearsal, LearnedRoutes> from;
  bool force = false;        // also where it breaks what works
  bool is_trial = false;     // what runs now may be put back, with the members that are drained
  Time asked{};              // its members' neighbours; it waits for them a while
  bool is_verified = false;  // the dataplane was asked whether it has what it was told
  std::uint64_t guard = 0;   // the closing of the guard without which it must not run

  [[nodiscard]] bool is_rehearsal() const { return std::holds_alternative<Rehearsal>(from); }
  [[nodiscard]] bool is_learned() const { return std::holds_alternative<LearnedRoutes>(from); }
  [[nodiscard]] bool is_reload() const { return std::holds_alternative<serve::Sources>(from); }
  [[nodiscard]] bool is_override() const { return std::holds_alternative<Overrides>(from); }
  [[nodiscard]] bool is_of_many() const {  // overrides that were asked one by one
    return is_override() && tickets.size() > 1;
  }
  // Of overrides: takes the requests from `first` on away, as a step of their own.
  [[nodiscard]] auto part_from(std::size_t first) -> Step;
  [[nodiscard]] std::string name() const;  // "reload", "route add 10.1.0.0/16 firewall in zone onprem"
};

class Steps {
 public:
  // A reload that still waits gives its turn to a later one, which was read after it: a burst of signals is one step. The same
  // must be allowed to both, and both come from the configuration or from one policy of the history. Overrides that wait become one
  // step, and are one transaction: what many ask one by one costs no more than what one asks at once.
  void push(Step step);
  // Overrides that were refused together come back one by one, each to have its own answer.
  void put_back_apart(Step step);
  void put_back(Step step) { steps_.push_front(std::move(step)); }
  [[nodiscard]] auto pop() -> Step;
  // What must not run without this closing of the guard, which failed.
  [[nodiscard]] auto take_guarded_by(std::uint64_t guard) -> std::optional<Step>;
  [[nodiscard]] auto take_all() -> std::deque<Step> { return std::exchange(steps_, {}); }

  [[nodiscard]] bool empty() const noexcept { return steps_.empty(); }
  [[nodiscard]] Step& front() { return steps_.front(); }
  [[nodiscard]] Step& back() { return steps_.back(); }
  [[nodiscard]] auto begin() const noexcept { return steps_.begin(); }
  [[nodiscard]] auto end() const noexcept { return steps_.end(); }
  // With what is learned or without.
  [[nodiscard]] bool ends_with(const std::shared_ptr<const policy::Policy>& policy) const;

 private:
  std::deque<Step> steps_;
};

}  // namespace sekisho::reconcile
