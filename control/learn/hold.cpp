// SPDX-License-Identifier: BSD-3-Clause
#include "control/learn/hold.hpp"

#include <algorithm>

namespace sekisho::learn {

void Hold::on_vanished(std::size_t all, Time now) {
  if (first_)
    return;
  first_ = now;
  due_ = now + settling;
  if (now > window_began_ + window) {
    window_began_ = now;
    window_all_ = all;
    window_went_ = 0;
  }
}

auto Hold::judge(std::size_t vanished, Health health, Time now) -> Verdict {
  if (!first_ || (vanished != 0 && now < *due_))
    return Verdict::wait;
  const bool is_most = 2 * (window_went_ + vanished) > window_all_;
  if (vanished != 0 && health == Health::well && is_most && now < *first_ + second_look) {
    due_ = *first_ + second_look;
    return Verdict::wait;
  }
  first_.reset();
  due_.reset();
  if (vanished == 0)
    return Verdict::wait;  // they are back
  const bool is_suspect =
      health == Health::gone || (health == Health::unknown && is_most && window_all_ >= few);
  if (is_suspect && hold_.count() != 0) {
    held_since_ = held_since_.value_or(now);  // what goes later prolongs nothing
    return Verdict::hold;
  }
  window_went_ += vanished;
  return Verdict::forget;
}

auto Hold::wakes_at() const -> std::optional<Time> {
  if (!held_since_)
    return due_;
  const auto over = *held_since_ + hold_;
  return due_ ? std::min(*due_, over) : over;
}

}  // namespace sekisho::learn
