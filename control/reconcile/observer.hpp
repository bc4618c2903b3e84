// SPDX-License-Identifier: BSD-3-Clause
// Notices what changes about this appliance and tells whoever follows: `sekisho monitor`, and the program of [hook]. Members are
// looked at after each event; the verdict and what is wrong a moment later, when the dataplane has said how it is, or has not
// within a second. It holds nobody up.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "control/events/feed.hpp"
#include "control/events/hook.hpp"
#include "control/reach/members.hpp"
#include "control/serve/backend.hpp"
#include "control/serve/changes.hpp"
#include "control/serve/live.hpp"

namespace sekisho::reconcile {

class Observer {
 public:
  // What is wrong now, at each look.
  using Judge = std::function<void(const std::vector<serve::Problem>& problems)>;
  // `backend` must outlive it.
  Observer(boost::asio::io_context& io, serve::Backend& backend, Judge judge);
  Observer(const Observer&) = delete;
  Observer& operator=(const Observer&) = delete;

  void start();
  // A member may have another state; `is_news`: or something else.
  void look(bool is_news);
  void follow(const policy::Policy& policy);  // it runs now
  void tell(events::Event event);
  // Lcores whose workers did not poll between the last two looks.
  [[nodiscard]] const std::vector<unsigned>& stuck_workers() const noexcept { return stuck_workers_; }
  [[nodiscard]] auto subscribe() -> std::shared_ptr<events::Subscription> { return feed_.subscribe(); }

 private:
  using Clock = std::chrono::steady_clock;

  void look_later(std::chrono::milliseconds pause);
  void ask();
  void heard(const serve::Live& live);
  void count_polls(const serve::Live& live);
  // What a control that has just started does not know yet is no news.
  [[nodiscard]] bool is_too_early(const serve::Live& live, const serve::Circumstances& circumstances) const;

  serve::Backend& backend_;
  Judge judge_;
  events::Feed feed_;
  events::Hook hook_;
  std::vector<reach::Member> members_;
  std::optional<serve::Judged> judged_;
  std::map<unsigned, std::uint64_t> polls_;  // by lcore, when they were counted
  Clock::time_point counted_;
  std::vector<unsigned> stuck_workers_;

  boost::asio::steady_timer timer_;     // of the next look
  boost::asio::steady_timer patience_;  // with the dataplane
  Clock::time_point started_;
  std::optional<Clock::time_point> due_;  // the timer's
  std::uint64_t question_ = 0;            // the last
  bool is_asking_ = false;
  bool is_to_ask_again_ = false;
  unsigned looks_ = 0;
};

}  // namespace sekisho::reconcile
