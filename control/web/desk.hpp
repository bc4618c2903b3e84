// SPDX-License-Identifier: BSD-3-Clause
// Where browsers ask: one question after the other, behind each a pause of so many times the processor time that it took (a second at
// most), an answer for all who ask the same, and a bounded number of those who wait. However many browsers there are, and whatever they
// do, no more of control's time is theirs than the pauses leave, while a pause is no longer than a second.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "control/http/server.hpp"
#include "control/serve/backend.hpp"
#include "control/web/question.hpp"

namespace sekisho::web {

// As a line; what is no UTF-8 in it is replaced.
[[nodiscard]] std::string dumped(const serve::Json& value);

class Desk {
 public:
  using Done = std::function<void(http::Response)>;
  static constexpr std::size_t most_waiting = 64;          // different questions
  static constexpr std::size_t most_kept = 64;             // answers
  static constexpr std::size_t longest_answer = 4U << 20;  // bytes

  // `backend` must outlive it. `rest`: how many times as long as an answer took it pauses behind it.
  Desk(boost::asio::io_context& io, serve::Backend& backend, std::uint64_t started_unix_ms, int rest);
  Desk(const Desk&) = delete;
  Desk& operator=(const Desk&) = delete;

  void ask(const Question& question, Done done);

 private:
  using Clock = std::chrono::steady_clock;
  struct Waiting {
    std::string key;
    Question question;
    std::vector<Done> who;
  };
  struct Kept {
    http::Response answer;
    Clock::time_point until;
  };

  void ask_next();
  void answered(http::Response response, std::chrono::milliseconds fresh);
  void answered(const Json& reply);

  serve::Backend& backend_;
  std::uint64_t started_unix_ms_;
  int rest_;
  boost::asio::steady_timer pause_;
  bool is_busy_ = false;              // something is being asked, or pauses
  Waiting current_;                   // without a key: none
  std::chrono::nanoseconds asked_{};  // by the thread's processor time
  std::deque<Waiting> waiting_;
  std::map<std::string, Kept> kept_;  // of the few questions that all browsers ask
};

}  // namespace sekisho::web
