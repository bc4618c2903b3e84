// SPDX-License-Identifier: BSD-3-Clause
#include "control/reconcile/command.hpp"

#include <chrono>
#include <string_view>
#include <utility>

#include "control/reconcile/timing.hpp"

namespace sekisho::reconcile {
namespace {

constexpr std::chrono::milliseconds between_claims{500};

// A dataplane of an earlier version, which an upgrade leaves running, has no claim: whoever asks commands.
bool is_older(std::string_view refusal) {
  return refusal == "this dataplane does not know the request";
}

}  // namespace

void Command::on_connected(Moment& moment) {
  asked_first_ = moment.now();
  claim(moment);
}

void Command::on_disconnected() {
  asks_at_.reset();
  is_held_ = false;
  why_not_.clear();
}

void Command::on_superseded(unsigned process, Moment& moment) {
  is_held_ = false;
  why_not_ = fmt::format("process {} commands this dataplane", process);
  moment.error("{}: it has taken the command away, and this sekisho-control changes nothing until that ends",
               why_not_);
  asks_at_ = moment.now() + between_claims;
}

void Command::on_tick(Moment& moment) {
  if (asks_at_ && *asks_at_ <= moment.now()) {
    claim(moment);
  }
}

void Command::claim(Moment& moment) {
  asks_at_.reset();
  moment.act(action::Claim{by_force_});
}

auto Command::on_claimed(const event::Claimed& claimed, Moment& moment) -> bool {
  if (!claimed.result && claimed.hangs) {
    asks_at_ = moment.now() + between_claims;
    return false;
  }
  if (!claimed.result && !is_older(claimed.result.error())) {
    on_refused(claimed.result.error(), moment);
    return false;
  }
  by_force_ = false;
  is_held_ = was_ever_held_ = true;
  if (!std::exchange(why_not_, {}).empty()) {
    moment.info("this sekisho-control commands the dataplane");
  }
  return true;
}

void Command::on_refused(const std::string& why, Moment& moment) {
  if (!was_ever_held_ && moment.now() - asked_first_ >= patience_at_start) {
    moment.act(action::Stop{why + ": stop it first, or start this one with --take-over"});
    return;
  }
  if (std::exchange(why_not_, why) != why) {
    moment.warn("{}; asking again until it does not", why);
  }
  asks_at_ = moment.now() + between_claims;
}

}  // namespace sekisho::reconcile
