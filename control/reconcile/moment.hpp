// SPDX-License-Identifier: BSD-3-Clause
// One event being handled: the world as it is, and the actions so far.
#pragma once

#include <fmt/format.h>

#include <utility>
#include <vector>

#include "control/reconcile/action.hpp"
#include "control/reconcile/event.hpp"

namespace sekisho::reconcile {

class Moment {
 public:
  explicit Moment(const World& world) : world_(world) {}

  [[nodiscard]] const World& world() const noexcept { return world_; }
  [[nodiscard]] const netlink::Mirror& mirror() const noexcept { return world_.mirror; }
  [[nodiscard]] Time now() const noexcept { return world_.now; }

  void act(Action action) { actions_.push_back(std::move(action)); }
  [[nodiscard]] auto take() && -> std::vector<Action> { return std::move(actions_); }

  template <typename... Args>
  void say(action::Level level, fmt::format_string<Args...> sentence, Args&&... args) {
    act(action::Say{level, fmt::format(sentence, std::forward<Args>(args)...)});
  }
  template <typename... Args>
  void info(fmt::format_string<Args...> sentence, Args&&... args) {
    say(action::Level::info, sentence, std::forward<Args>(args)...);
  }
  template <typename... Args>
  void warn(fmt::format_string<Args...> sentence, Args&&... args) {
    say(action::Level::warning, sentence, std::forward<Args>(args)...);
  }
  template <typename... Args>
  void error(fmt::format_string<Args...> sentence, Args&&... args) {
    say(action::Level::error, sentence, std::forward<Args>(args)...);
  }

 private:
  const World& world_;
  std::vector<Action> actions_;
};

}  // namespace sekisho::reconcile
