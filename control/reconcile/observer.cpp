// SPDX-License-Identifier: BSD-3-Clause
#include "control/reconcile/observer.hpp"

#include <algorithm>
#include <utility>

#include "control/reconcile/timing.hpp"
#include "control/serve/ask_live.hpp"

namespace sekisho::reconcile {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds settling{100};         // events come in bursts
constexpr milliseconds at_least{2000};        // not everything that may be wrong is an event
constexpr milliseconds silence{1000};         // of the dataplane, until it is said to hang
constexpr milliseconds starting{10'000};      // until what control knows is said in any case
constexpr milliseconds between_counts{1500};  // of the workers' polls
constexpr unsigned looks_a_beat = 5;

bool is_as_alive(const reach::Member& a, const reach::Member& b) {
  return a.address == b.address && a.alive == b.alive;
}

}  // namespace

Observer::Observer(boost::asio::io_context& io, serve::Backend& backend, Judge judge)
    : backend_(backend),
      judge_(std::move(judge)),
      hook_(io),
      timer_(io),
      patience_(io),
      started_(Clock::now()) {}

void Observer::start() {
  members_ = backend_.view().members;
  look_later(settling);
}

void Observer::follow(const policy::Policy& policy) {
  hook_.use(policy.config.hook ? policy.config.hook->on_change : std::filesystem::path{});
}

void Observer::tell(events::Event event) {
  event.unix_ms = now_unix_ms();
  hook_.tell(event);
  feed_.publish(std::move(event));
}

void Observer::look(bool is_news) {
  const auto& now = backend_.view().members;
  if (is_news) {
    look_later(settling);
  }
  if (!std::ranges::equal(now, members_, is_as_alive)) {
    auto before = std::exchange(members_, now);
    for (auto& event : serve::changes(backend_.policy()->config, before, now)) {
      tell(std::move(event));
    }
    look_later(settling);
  }
}

void Observer::look_later(milliseconds pause) {
  const auto when = Clock::now() + pause;
  if (due_ && *due_ <= when) {
    return;
  }
  due_ = when;
  timer_.expires_at(when);
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) {
      due_.reset();
      ask();
    }
  });
}

void Observer::ask() {
  if (++looks_ % looks_a_beat == 0) {
    feed_.beat();
  }
  look_later(at_least);
  if (is_asking_) {
    is_to_ask_again_ = true;
    return;
  }
  is_asking_ = true;
  const auto question = ++question_;
  patience_.expires_after(silence);
  patience_.async_wait([this, question](const boost::system::error_code& error) {
    if (!error && question == question_) {
      heard({.connected = backend_.dataplane_connected(), .error = "no answer within a second"});
    }
  });
  serve::ask_live(backend_, [this, question](const serve::Live& live) {
    if (question == question_) {
      patience_.cancel();
      heard(live);
    }
  });
}

// A worker polls thousands of times a second, also an idle one that sleeps between. After a restart of the dataplane all have
// other numbers.
void Observer::count_polls(const serve::Live& live) {
  if (!live.statistics) {
    stuck_workers_.clear();
    polls_.clear();
    return;
  }
  const auto now = Clock::now();
  if (!polls_.empty() && now - counted_ < between_counts) {
    return;
  }
  stuck_workers_.clear();
  std::map<unsigned, std::uint64_t> polls;
  for (const auto& worker : live.statistics->workers()) {
    polls[worker.lcore()] = worker.polls();
    if (const auto before = polls_.find(worker.lcore());
        before != polls_.end() && before->second == worker.polls()) {
      stuck_workers_.push_back(worker.lcore());
    }
  }
  polls_ = std::move(polls);
  counted_ = now;
}

void Observer::heard(const serve::Live& live) {
  count_polls(live);
  is_asking_ = false;
  ++question_;  // what else is said in answer is too late
  if (std::exchange(is_to_ask_again_, false)) {
    look_later(settling);
  }
  const auto policy = backend_.policy();
  const auto circumstances = backend_.circumstances();
  if (!judged_ && is_too_early(live, circumstances)) {
    look_later(settling);
    return;
  }
  auto problems = serve::problems({.policy = *policy,
                                   .mirror = backend_.mirror(),
                                   .view = backend_.view(),
                                   .live = live,
                                   .circumstances = circumstances});
  judge_(problems);
  const auto verdict = serve::judge(*policy, problems);
  const auto before = std::exchange(judged_, serve::Judged{verdict, std::move(problems)});
  for (auto& event : serve::changes(before, *judged_)) {
    tell(std::move(event));
  }
}

bool Observer::is_too_early(const serve::Live& live, const serve::Circumstances& circumstances) const {
  return Clock::now() - started_ < starting &&
         (!live.state || live.state->transaction() == 0 || !circumstances.is_settled);
}

}  // namespace sekisho::reconcile
