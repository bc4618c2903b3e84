// SPDX-License-Identifier: BSD-3-Clause
#include "control/events/feed.hpp"

#include <utility>

namespace sekisho::events {

void Subscription::next(Take take) {
  take_ = std::move(take);
  if (!waiting_.empty()) {
    give();
  }
}

void Subscription::push(std::shared_ptr<const Event> event) {
  if (waiting_.size() == most) {
    waiting_.pop_front();
    ++lost_;
  }
  waiting_.push_back(std::move(event));
  give();
}

void Subscription::beat() {
  give();
}

void Subscription::give() {
  if (!take_) {
    return;
  }
  Page page{.lost = std::exchange(lost_, 0),
            .events = {std::make_move_iterator(waiting_.begin()), std::make_move_iterator(waiting_.end())}};
  waiting_.clear();
  std::exchange(take_, nullptr)(std::move(page));
}

auto Feed::subscribe() -> std::shared_ptr<Subscription> {
  auto subscription = std::make_shared<Subscription>();
  subscriptions_.push_back(subscription);
  return subscription;
}

void Feed::publish(Event event) {
  const auto shared = std::make_shared<const Event>(std::move(event));
  for (const auto& subscription : living()) {
    subscription->push(shared);
  }
}

void Feed::beat() {
  for (const auto& subscription : living()) {
    subscription->beat();
  }
}

auto Feed::living() -> std::vector<std::shared_ptr<Subscription>> {
  std::vector<std::shared_ptr<Subscription>> result;
  std::erase_if(subscriptions_, [&](const std::weak_ptr<Subscription>& weak) {
    auto subscription = weak.lock();
    const bool is_gone = subscription == nullptr;
    if (!is_gone) {
      result.push_back(std::move(subscription));
    }
    return is_gone;
  });
  return result;
}

}  // namespace sekisho::events
