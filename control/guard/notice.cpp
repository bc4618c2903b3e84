// SPDX-License-Identifier: BSD-3-Clause
#include "control/guard/notice.hpp"

#include <spdlog/spdlog.h>

#include <utility>

namespace sekisho::guard {

void Notice::warn(const std::string& sentence) {
  const auto now = std::chrono::steady_clock::now();
  if (now < next_) {
    ++unsaid_;
    return;
  }
  next_ = now + std::chrono::seconds(1);
  if (const auto unsaid = std::exchange(unsaid_, 0); unsaid != 0) {
    spdlog::warn("{} ({} more like this before)", sentence, unsaid);
  } else {
    spdlog::warn("{}", sentence);
  }
}

}  // namespace sekisho::guard
