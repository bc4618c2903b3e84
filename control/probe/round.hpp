// SPDX-License-Identifier: BSD-3-Clause
// One probe of one member: all its targets are asked at once, until one answers, all have failed, or the time is over.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "control/probe/attempt.hpp"
#include "control/reach/liveness.hpp"
#include "control/reach/probing.hpp"

namespace sekisho::probe {

class Round : public std::enable_shared_from_this<Round> {
 public:
  // `done` is called once, never from within start(), and not after cancel().
  using Done = std::function<void(const reach::Sample&)>;
  [[nodiscard]] static auto start(boost::asio::io_context& io, const reach::ProbeOrder& order, Done done)
      -> std::shared_ptr<Round>;

  // Its time is over: as if the timer said so.
  void expire();
  void cancel();

 private:
  Round(boost::asio::io_context& io, const reach::ProbeOrder& order, Done done);
  void ask(boost::asio::io_context& io);
  void answered(const Answer& answer);
  void end(const reach::Sample& sample);

  reach::ProbeOrder order_;
  Done done_;
  boost::asio::steady_timer timer_;
  std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
  std::vector<std::shared_ptr<Attempt>> attempts_;
  std::size_t open_ = 0;  // attempts that have not ended
  Answer last_;           // that was none
};

}  // namespace sekisho::probe
