// SPDX-License-Identifier: BSD-3-Clause
// Decides when what is advertised is to be withdrawn because nobody is left who would. Pure.
//
// sekisho-control withdraws when nothing is forwarded any more. When it is gone itself the dataplane goes on forwarding as last told, and
// systemd brings control back within seconds: a withdrawal would interrupt what works. After `dead_after` nobody knows whether the firewall
// still lives, and it is withdrawn. When the dataplane is gone as well, nothing is forwarded, and it is withdrawn at once.
#pragma once

#include <chrono>
#include <optional>

namespace sekisho::advertise {

class Vigil {
 public:
  using Time = std::chrono::steady_clock::time_point;

  explicit Vigil(Time now) : control_gone_since_(now) {}

  void dead_after(std::chrono::milliseconds span) { dead_after_ = span; }
  // `since`: when it gave its last sign.
  void control_is_gone(Time since) {
    if (!control_gone_since_) {
      control_gone_since_ = since;
    }
  }
  void control_is_there() { control_gone_since_.reset(); }
  void dataplane(bool is_there) { has_dataplane_ = is_there; }

  [[nodiscard]] bool is_to_withdraw(Time now) const {
    return control_gone_since_ && (!has_dataplane_ || now >= *control_gone_since_ + dead_after_);
  }
  [[nodiscard]] bool has_control() const { return !control_gone_since_; }
  [[nodiscard]] bool has_dataplane() const { return has_dataplane_; }

 private:
  std::chrono::milliseconds dead_after_{30'000};
  std::optional<Time> control_gone_since_;  // none: it is there
  bool has_dataplane_ = false;
};

}  // namespace sekisho::advertise
