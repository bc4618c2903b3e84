// SPDX-License-Identifier: BSD-3-Clause
// The newest events, for a browser that was not there when they happened.
#pragma once

#include <cstddef>
#include <deque>
#include <memory>

#include "control/events/feed.hpp"
#include "control/serve/json.hpp"

namespace sekisho::web {

class EventLog {
 public:
  static constexpr std::size_t most = 100;

  explicit EventLog(std::shared_ptr<events::Subscription> subscription);
  EventLog(const EventLog&) = delete;
  EventLog& operator=(const EventLog&) = delete;

  // As `sekisho monitor --json` has them, the newest first.
  [[nodiscard]] auto to_json() const -> serve::Json;

 private:
  void follow();

  std::shared_ptr<events::Subscription> subscription_;
  std::deque<std::shared_ptr<const events::Event>> events_;  // the newest first
};

}  // namespace sekisho::web
