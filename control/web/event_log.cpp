// SPDX-License-Identifier: BSD-3-Clause
#include "control/web/event_log.hpp"

#include <algorithm>
#include <utility>

namespace sekisho::web {

EventLog::EventLog(std::shared_ptr<events::Subscription> subscription)
    : subscription_(std::move(subscription)) {
  follow();
}

void EventLog::follow() {
  subscription_->next([this](events::Subscription::Page page) {
    for (auto& event : page.events) {
      events_.push_front(std::move(event));
    }
    events_.resize(std::min(events_.size(), most));
    follow();
  });
}

auto EventLog::to_json() const -> serve::Json {
  auto array = serve::Json::array();
  for (const auto& event : events_) {
    array.push_back(events::to_json(*event));
  }
  return array;
}

}  // namespace sekisho::web
