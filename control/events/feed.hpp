// SPDX-License-Identifier: BSD-3-Clause
// Hands each event to everybody who follows. Who reads slowly holds nobody up: of his queue the oldest events are lost, and he is
// told how many. Pure; one thread.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <vector>

#include "control/events/event.hpp"

namespace sekisho::events {

// What one who follows has not read yet.
class Subscription {
 public:
  struct Page {
    std::size_t lost = 0;  // before the first of these
    std::vector<std::shared_ptr<const Event>> events;
  };
  using Take = std::function<void(Page)>;

  static constexpr std::size_t most = 1024;

  // Calls back once: at once with all that waits, or with the next event, or with an empty page at the next beat.
  void next(Take take);

  void push(std::shared_ptr<const Event> event);
  void beat();

 private:
  void give();

  std::deque<std::shared_ptr<const Event>> waiting_;
  std::size_t lost_ = 0;
  Take take_;
};

class Feed {
 public:
  // Ends with the last who holds it.
  [[nodiscard]] auto subscribe() -> std::shared_ptr<Subscription>;
  void publish(Event event);
  // Now and then, so that who waits hears that somebody is there, and who is gone is noticed.
  void beat();

 private:
  // A subscription may end while it is told something.
  [[nodiscard]] auto living() -> std::vector<std::shared_ptr<Subscription>>;

  std::vector<std::weak_ptr<Subscription>> subscriptions_;
};

}  // namespace sekisho::events
