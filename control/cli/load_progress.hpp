// SPDX-License-Identifier: BSD-3-Clause
// How far the load of a file is, on standard error: only for who looks at a terminal, and only when it takes longer than a
// second. Gone when the load is.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "common/base/file.hpp"

namespace sekisho::cli {

class LoadProgress {
 public:
  explicit LoadProgress(std::string file);
  LoadProgress(const LoadProgress&) = delete;
  LoadProgress& operator=(const LoadProgress&) = delete;
  ~LoadProgress();

  // To be called no longer than this lives.
  [[nodiscard]] base::Progress callback();

 private:
  using Clock = std::chrono::steady_clock;

  void show(std::string_view doing, double share);

  std::string file_;
  bool terminal_;
  bool shown_ = false;
  Clock::time_point next_ = Clock::now() + std::chrono::seconds{1};
};

}  // namespace sekisho::cli
