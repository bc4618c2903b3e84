// SPDX-License-Identifier: BSD-3-Clause
#include "control/probe/prober.hpp"

#include <algorithm>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <set>
#include <utility>

#include "control/probe/round.hpp"

namespace sekisho::probe {
namespace {

using Clock = std::chrono::steady_clock;

// A reload waits a second for members that are new.
constexpr std::chrono::milliseconds latest_start{500};

}  // namespace

class Prober::Course : public std::enable_shared_from_this<Prober::Course> {
 public:
  Course(boost::asio::io_context& io, reach::ProbeOrder order, const Heard& heard)
      : io_(io), timer_(io), order_(std::move(order)), heard_(heard) {}

  [[nodiscard]] const reach::ProbeOrder& order() const noexcept { return order_; }

  void start(Clock::duration delay) {
    next_ = Clock::now() + delay;
    wait();
  }
  void stop() {
    timer_.cancel();
    end_round();
    heard_ = nullptr;
  }

 private:
  void wait() {
    timer_.expires_at(next_);
    timer_.async_wait([self = shared_from_this()](const boost::system::error_code& error) {
      if (!error && self->heard_) {
        self->send();
      }
    });
  }

  // By the clock, not by the last answer: that is what bounds the time until a dead member is noticed.
  void send() {
    next_ = std::max(next_ + order_.probe.interval, Clock::now());
    wait();
    if (round_) {  // it has had its time, and this timer came before its own
      round_->expire();
    }
    end_round();
    if (!heard_) {
      return;
    }
    round_ = Round::start(io_, order_, [course = weak_from_this()](const reach::Sample& sample) {
      const auto self = course.lock();
      if (self && self->heard_) {
        const auto heard = self->heard_;  // who hears may end this course
        heard(self->order_.member, sample);
      }
    });
  }

  void end_round() {
    if (auto round = std::exchange(round_, nullptr)) {
      round->cancel();
    }
  }

  boost::asio::io_context& io_;
  boost::asio::steady_timer timer_;
  reach::ProbeOrder order_;
  Heard heard_;  // null: stopped
  Clock::time_point next_;
  std::shared_ptr<Round> round_;
};

Prober::Prober(boost::asio::io_context& io, Heard heard)
    : io_(io), heard_(std::move(heard)), random_(std::random_device{}()) {}

Prober::~Prober() {
  for (const auto& [member, course] : courses_) {
    course->stop();
  }
}

void Prober::probe(const std::vector<reach::ProbeOrder>& orders) {
  std::set<std::uint32_t> named;
  for (const auto& order : orders) {
    named.insert(order.member);
    auto& course = courses_[order.member];
    if (course && course->order() == order) {
      continue;
    }
    if (course) {
      course->stop();
    }
    course = std::make_shared<Course>(io_, order, heard_);
    const auto most = std::min(order.probe.interval, latest_start);
    course->start(std::chrono::milliseconds{
        std::uniform_int_distribution<std::chrono::milliseconds::rep>{0, most.count() - 1}(random_)});
  }
  std::erase_if(courses_, [&](const auto& entry) {
    const bool ends = !named.contains(entry.first);
    if (ends) {
      entry.second->stop();
    }
    return ends;
  });
}

}  // namespace sekisho::probe
