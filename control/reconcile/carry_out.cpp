// SPDX-License-Identifier: BSD-3-Clause
// What the reconciler wants done is done here.
#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <iterator>
#include <utility>

#include "control/config/include.hpp"
#include "control/reconcile/daemon.hpp"

namespace sekisho::reconcile {
namespace {

spdlog::level::level_enum level_of(action::Level level) {
  switch (level) {
    case action::Level::debug:
      return spdlog::level::debug;
    case action::Level::info:
      return spdlog::level::info;
    case action::Level::warning:
      return spdlog::level::warn;
    case action::Level::error:
      break;
  }
  return spdlog::level::err;
}

// Takes the one who waits for the ticket.
template <typename Done>
Done take(std::map<Ticket, Done>& waiting, Ticket ticket) {
  return std::move(waiting.extract(ticket).mapped());
}

}  // namespace

void Daemon::carry_out(action::Say&& action) {
  spdlog::log(level_of(action.level), "{}", action.sentence);
}

void Daemon::carry_out(action::Yield&& /*action*/) {
  boost::asio::post(io_, [this] { tell(event::Turn{}); });
}

void Daemon::carry_out(action::Stop&& action) {
  failure_ = std::move(action.why);
  io_.stop();
}

// --- The dataplane.

template <typename Answered>
void Daemon::ask(ipc::Request request, Answered answered) {
  dataplane_.ask(std::move(request), [this, answered](const auto& answer) {
    if (dataplane_.connected()) {
      tell(answered(answer));
    }
  });
}

void Daemon::carry_out(action::Claim&& action) {
  ipc::Request request;
  request.mutable_claim()->set_take_over(action.by_force);
  ask(std::move(request), [this](const auto& answer) {
    return event::Claimed{answer.map([](const auto&) {}), dataplane_.hangs()};
  });
}

void Daemon::carry_out(action::AskState&& /*action*/) {
  ipc::Request request;
  request.mutable_get_state();
  ask(std::move(request), [](const auto& answer) {
    return event::StateTold{answer.map([](const auto& replies) { return replies.back().state(); })};
  });
}

void Daemon::carry_out(action::Transact&& action) {
  dataplane_.transact(action.full, std::move(action.changes), [this](const auto& answer) {
    if (dataplane_.connected()) {
      tell(event::TransactionEnded{
          answer.map([](const auto& replies) { return replies.back().committed(); })});
    }
  });
}

// --- The kernel.

void Daemon::carry_out(action::CloseGuard&& action) {
  tell(event::GuardClosed{action.number, guard_->close(std::move(action.wanted))});
}

void Daemon::carry_out(action::Keep&& action) {
  netlink_->keep_resolved(action.resolved);
  netlink_->keep(action.wanted);
}

void Daemon::carry_out(action::Bind&& action) {
  netlink_->bind(std::move(action.bound));
}

void Daemon::carry_out(action::CountReturns&& action) {
  netlink_->count_returns(std::move(action.returns));
}

void Daemon::carry_out(action::ListAgain&& /*action*/) {
  netlink_->refresh();
}

void Daemon::carry_out(action::Probe&& action) {
  prober_.probe(action.orders);
}

// --- Files and operators.

void Daemon::carry_out(action::ReadFiles&& /*action*/) {
  reader_.read(history_.source_that_starts(),
               [this](const Reading& reading) { tell(event::ReadAgain{reading}); });
}

void Daemon::carry_out(action::Follow&& action) {
  observer_.follow(*action.policy);
  advertising_.follow(action.policy->config.bgp, action.policy->advertised);
  learner_.learn(learn::settings_of(action.policy->config));
  auto included = [file = action.policy->config.file, patterns = action.policy->config.include] {
    return config::included_now(file, patterns);
  };
  endpoints_.serve(std::move(action.policy));
  if (!action.sources) {
    history_.overridden([this] { return running(); });
    return;
  }
  history_.ran(*action.sources);
  PolicyReader::Files files;
  std::ranges::transform(action.sources->files, std::back_inserter(files), &base::Stamp::file);
  reader_.look_beside(std::move(files));
  if (action.sources->policy) {  // an entry of the history gets no more files
    file_watch_.follow(std::move(action.sources->files));
  } else {
    file_watch_.follow(std::move(action.sources->files), std::move(included));
  }
}

void Daemon::carry_out(action::Answer&& action) {
  take(waiting_, action.ticket)(std::move(action.result));
}

void Daemon::carry_out(action::AnswerPlan&& action) {
  take(rehearsing_, action.ticket)(std::move(action.plan));
}

}  // namespace sekisho::reconcile
