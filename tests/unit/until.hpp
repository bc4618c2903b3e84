// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <functional>

namespace sekisho::test {

// Runs until that has happened. It waits for an event; the time is only how long that may take at most.
[[nodiscard]] inline bool run_until(boost::asio::io_context& io, const std::function<bool()>& happened) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!happened()) {
    if (std::chrono::steady_clock::now() >= deadline) {
      return false;
    }
    io.restart();
    io.run_one_for(std::chrono::milliseconds(10));
  }
  return true;
}

}  // namespace sekisho::test
