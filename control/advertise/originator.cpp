// SPDX-License-Identifier: BSD-3-Clause
#include "control/advertise/originator.hpp"

#include <fmt/format.h>

#include <utility>

#include "common/base/duration.hpp"

namespace sekisho::advertise {

void Originator::judge(std::vector<std::string> why_not, Time now) {
  static_cast<void>(wish(now));  // what was due before this verdict
  const bool is_forwarding = why_not.empty();
  if (is_forwarding_ != is_forwarding) {
    is_forwarding_ = is_forwarding;
    since_ = now;
  }
  reasons_ = std::move(why_not);
}

auto Originator::due() const -> std::optional<Time> {
  if (!is_forwarding_) {
    return std::nullopt;
  }
  return since_ + (*is_forwarding_ ? damping_.advertise_after : damping_.withdraw_after);
}

Wish Originator::wish(Time now) {
  if (const auto when = due(); when && *when <= now) {
    settled_ = *is_forwarding_ ? Wish::announce : Wish::withdraw;
  }
  return is_drained_ ? Wish::withdraw : settled_;
}

auto Originator::changes_at(Time now) const -> std::optional<Time> {
  const auto when = due();
  return when && *when > now ? when : std::nullopt;
}

auto Originator::why_not(Time now) const -> std::vector<std::string> {
  if (is_drained_) {
    return {"it is being drained"};
  }
  if (!is_forwarding_) {
    return {"it is not known yet whether anything is forwarded"};
  }
  if (!*is_forwarding_) {
    return reasons_;
  }
  if (due() > now && settled_ != Wish::announce) {
    return {
        fmt::format("traffic has not been forwarded for {} yet", base::to_string(damping_.advertise_after))};
  }
  return {};
}

}  // namespace sekisho::advertise
