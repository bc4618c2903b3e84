// SPDX-License-Identifier: BSD-3-Clause
#include "control/learn/learner.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

#include "control/learn/session.hpp"

namespace sekisho::learn {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds least_pause = 50ms;
constexpr int share = 4;  // of its time, the one part that whoever takes snapshots spends with them

}  // namespace

auto settings_of(const config::Config& config) -> std::optional<Settings> {
  return config.learns() ? std::optional(Settings{config.bgp->learning, config.bgp->frr}) : std::nullopt;
}

struct Learner::Impl : std::enable_shared_from_this<Learner::Impl> {
  Impl(boost::asio::io_context& io, Publish call) : main(io), publish(std::move(call)), pace(own) {}

  boost::asio::io_context& main;
  Publish publish;  // main thread only; empty: nobody wants any more

  boost::asio::io_context own{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work{own.get_executor()};
  // The thread's.
  std::unique_ptr<Session> session;
  std::uint64_t serves = 0;  // the call of learn() that it is for
  boost::asio::steady_timer pace;
  bool is_taken = true;  // what was published last
  Clock::time_point next_at{};
  bool is_waiting = false;

  // Of the first, for whoever waits.
  std::mutex mutex;
  std::condition_variable ready;
  std::uint64_t wanted = 0;  // how often learn() was called; it is the main thread that writes it
  std::uint64_t first_of = 0;
  Snapshot first;
  std::string failure;

  std::optional<Settings> settings;  // main thread's
  std::thread thread;                // last: everything else is there when it runs

  void hand_over(std::uint64_t number, Snapshot snapshot);
  void taken(Clock::duration busy);
  void offer();
  void give_first(std::uint64_t number);
  void begin(std::optional<Settings> next, std::uint64_t number);
};

void Learner::Impl::begin(std::optional<Settings> next, std::uint64_t number) {
  session.reset();
  serves = number;
  if (!next) {
    return;
  }
  session = std::make_unique<Session>(own, std::move(*next), [this, number] {
    give_first(number);
    offer();
  });
  if (const auto opened = session->open(); !opened) {
    spdlog::error("{}", opened.error());
    session.reset();
    const std::lock_guard lock{mutex};
    failure = opened.error();
    ready.notify_all();
  }
}

void Learner::Impl::give_first(std::uint64_t number) {
  {
    const std::lock_guard lock{mutex};
    if (first_of == number) {
      return;
    }
  }
  auto snapshot = session->snapshot();
  const std::lock_guard lock{mutex};
  first_of = number;
  first = snapshot;
  ready.notify_all();
  // It is published as any other.
  boost::asio::post(main, [self = weak_from_this(), number, snapshot = std::move(snapshot)] {
    if (const auto impl = self.lock()) {
      impl->hand_over(number, snapshot);
    }
  });
}

// On the main thread. What an earlier call of learn() led to may have been on its way when another came.
void Learner::Impl::hand_over(std::uint64_t number, Snapshot snapshot) {
  if (publish && number == wanted) {
    publish(std::move(snapshot));
  }
}

void Learner::Impl::taken(Clock::duration busy) {
  is_taken = true;
  next_at = Clock::now() + std::max<Clock::duration>(least_pause, busy * share);
  offer();
}

// One at a time is on its way to the main thread.
void Learner::Impl::offer() {
  if (!is_taken || is_waiting || !session || !session->has_news()) {
    return;
  }
  if (const auto now = Clock::now(); now < next_at) {
    is_waiting = true;
    pace.expires_at(next_at);
    pace.async_wait([this](const boost::system::error_code& error) {
      is_waiting = false;
      if (!error) {
        offer();
      }
    });
    return;
  }
  is_taken = false;
  boost::asio::post(
      main, [self = weak_from_this(), number = serves, snapshot = session->snapshot()]() mutable {
        const auto impl = self.lock();
        if (!impl) {
          return;
        }
        const auto before = Clock::now();
        impl->hand_over(number, std::move(snapshot));
        // Who takes it leaves the work for later, and that stands before this.
        boost::asio::post(impl->main, [self, before] {
          if (const auto there = self.lock()) {
            boost::asio::post(there->own,
                              [raw = there.get(), busy = Clock::now() - before] { raw->taken(busy); });
          }
        });
      });
}

Learner::Learner(boost::asio::io_context& io, Publish publish)
    : impl_(std::make_shared<Impl>(io, std::move(publish))) {
  impl_->thread = std::thread([impl = impl_.get()] { impl->own.run(); });
}

Learner::~Learner() {
  impl_->publish = nullptr;
  impl_->own.stop();
  impl_->thread.join();
}

void Learner::learn(std::optional<Settings> settings) {
  if (settings == impl_->settings) {
    return;
  }
  impl_->settings = settings;
  std::uint64_t number = 0;
  {
    const std::lock_guard lock{impl_->mutex};
    number = ++impl_->wanted;
    impl_->failure.clear();
  }
  boost::asio::post(impl_->own, [impl = impl_.get(), settings = std::move(settings), number]() mutable {
    impl->begin(std::move(settings), number);
  });
}

auto Learner::wait_for_first(std::chrono::milliseconds patience) -> tl::expected<Snapshot, std::string> {
  std::unique_lock lock{impl_->mutex};
  impl_->ready.wait_for(lock, patience,
                        [this] { return impl_->first_of == impl_->wanted || !impl_->failure.empty(); });
  if (!impl_->failure.empty()) {
    return tl::unexpected(impl_->failure);
  }
  if (impl_->first_of != impl_->wanted) {
    return tl::unexpected(std::string("the kernel does not list its routes"));
  }
  return impl_->first;
}

}  // namespace sekisho::learn
