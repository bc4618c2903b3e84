// SPDX-License-Identifier: BSD-3-Clause
// Who commands the dataplane: one sekisho-control at a time. This one asks for it on each connection, again and again while
// another holds it, and hears when it is taken away. Pure.
#pragma once

#include <optional>
#include <string>

#include "control/reconcile/moment.hpp"

namespace sekisho::reconcile {

class Command {
 public:
  // By force: the first time it is taken from whoever has it.
  explicit Command(bool by_force) : by_force_(by_force) {}

  void on_connected(Moment& moment);
  void on_disconnected();
  // True: this control commands now. Where another held it from the start and lives on, nothing was ever commanded and there is
  // nothing to do here: the process stops.
  [[nodiscard]] auto on_claimed(const event::Claimed& claimed, Moment& moment) -> bool;
  void on_superseded(unsigned process, Moment& moment);
  void on_tick(Moment& moment);

  [[nodiscard]] bool is_held() const noexcept { return is_held_; }
  // "process 4711 commands this dataplane"; empty while this one does, or there is no dataplane.
  [[nodiscard]] const std::string& why_not() const noexcept { return why_not_; }
  [[nodiscard]] auto wakes_at() const noexcept -> std::optional<Time> { return asks_at_; }

 private:
  void claim(Moment& moment);
  void on_refused(const std::string& why, Moment& moment);

  Time asked_first_{};  // on this connection
  std::optional<Time> asks_at_;
  bool by_force_;
  bool is_held_ = false;
  bool was_ever_held_ = false;
  std::string why_not_;
};

}  // namespace sekisho::reconcile
