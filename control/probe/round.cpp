// SPDX-License-Identifier: BSD-3-Clause
#include "control/probe/round.hpp"

#include <utility>

#include "common/base/duration.hpp"

namespace sekisho::probe {

using reach::Sample;

Round::Round(boost::asio::io_context& io, const reach::ProbeOrder& order, Done done)
    : order_(order), done_(std::move(done)), timer_(io) {}

auto Round::start(boost::asio::io_context& io, const reach::ProbeOrder& order, Done done)
    -> std::shared_ptr<Round> {
  const std::shared_ptr<Round> round{new Round(io, order, std::move(done))};
  round->timer_.expires_after(order.probe.timeout);
  round->timer_.async_wait([round](const boost::system::error_code& error) {
    if (!error) {
      round->expire();
    }
  });
  round->ask(io);
  return round;
}

void Round::ask(boost::asio::io_context& io) {
  const auto done = [round = weak_from_this()](const Answer& answer) {
    if (const auto self = round.lock()) {
      self->answered(answer);
    }
  };
  for (const auto& destination : destinations(order_)) {
    attempts_.push_back(attempt(io, order_, destination, done));
  }
  open_ = attempts_.size();
  for (const auto& each : attempts_) {
    each->start();
  }
}

void Round::answered(const Answer& answer) {
  if (answer.came) {
    end({Sample::Result::answered,
         std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - began_),
         {}});
    return;
  }
  // What was sent and failed says more of the member than what was not sent.
  if (last_.why.empty() || (last_.unsent && !answer.unsent)) {
    last_ = answer;
  }
  if (--open_ == 0) {
    end({last_.unsent ? Sample::Result::unsent : Sample::Result::failed, {}, last_.why});
  }
}

void Round::expire() {
  end({Sample::Result::failed, {}, "no answer within " + base::to_string(order_.probe.timeout)});
}

void Round::end(const Sample& sample) {
  const auto done = std::exchange(done_, nullptr);
  cancel();
  if (done) {
    done(sample);
  }
}

void Round::cancel() {
  done_ = nullptr;
  timer_.cancel();
  for (const auto& each : attempts_) {
    each->cancel();
  }
}

}  // namespace sekisho::probe
