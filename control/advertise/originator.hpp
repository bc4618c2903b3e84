// SPDX-License-Identifier: BSD-3-Clause
// Decides whether the appliance's prefixes are to be advertised now. Pure: verdicts and times in, a wish out.
//
// Advertised is only what is forwarded, so a verdict that nothing is takes the routes away, after `withdraw_after`; they come back when
// something has been forwarded for `advertise_after`. All prefixes are one unit: a half without the other takes half of the Internet
// away from whoever had a way to it. Before the first verdict, and for the time that damps it, a control that has just started leaves what
// its predecessor told FRR as it is: its own restart is no event for the network.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "control/config/config.hpp"

namespace sekisho::advertise {

enum class Wish : std::uint8_t {
  leave,  // as it is
  announce,
  withdraw
};

class Originator {
 public:
  using Time = std::chrono::steady_clock::time_point;

  // From now on damped like this.
  void follow(const config::Advertising& damping) { damping_ = damping; }
  // `why_not`: why nothing is forwarded; empty: something is.
  void judge(std::vector<std::string> why_not, Time now);
  // An operator's word, which nothing damps.
  void drain(bool is_drained) { is_drained_ = is_drained; }

  [[nodiscard]] Wish wish(Time now);
  // When the wish may be another without a new verdict.
  [[nodiscard]] std::optional<Time> changes_at(Time now) const;
  // Why it is not to be advertised: empty while it is.
  [[nodiscard]] auto why_not(Time now) const -> std::vector<std::string>;

 private:
  [[nodiscard]] std::optional<Time> due() const;

  config::Advertising damping_;
  std::optional<bool> is_forwarding_;  // by the last verdict; none: there was none
  Time since_;                         // when that began
  std::vector<std::string> reasons_;
  bool is_drained_ = false;
  Wish settled_ = Wish::leave;  // without what damps, and without a drain
};

}  // namespace sekisho::advertise
