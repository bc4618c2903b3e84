// SPDX-License-Identifier: BSD-3-Clause
// A warning that may come very often: one line a second, which says how many it stands for.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace sekisho::guard {

class Notice {
 public:
  void warn(const std::string& sentence);

 private:
  std::chrono::steady_clock::time_point next_{};
  std::uint64_t unsaid_ = 0;
};

}  // namespace sekisho::guard
