// SPDX-License-Identifier: BSD-3-Clause
// A neighbour that goes through more memory than the last-level cache holds, on another CPU, while it lives.
#pragma once

#include <cstddef>
#include <thread>

namespace sekisho::bench {

class Thrash {
 public:
  explicit Thrash(unsigned cpu);

 private:
  std::jthread thread_;
};

}  // namespace sekisho::bench
