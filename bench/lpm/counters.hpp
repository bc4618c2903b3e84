// SPDX-License-Identifier: BSD-3-Clause
// The CPU's own counters (perf_event_open(2)), of this thread in user space.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace sekisho::bench {

class Counters {
 public:
  Counters();  // opens what there is
  ~Counters();
  Counters(const Counters&) = delete;
  Counters& operator=(const Counters&) = delete;

  // Why there is nothing to count: virtual machines are often given no counters. Empty where there is.
  [[nodiscard]] const std::string& missing() const noexcept { return missing_; }

  // What happened in `work`, by name, divided by `lookups`.
  [[nodiscard]] auto count(const std::function<void()>& work, std::size_t lookups) const
      -> std::map<std::string, double>;

 private:
  struct Open {
    const char* name;
    int descriptor;
  };
  std::vector<Open> open_;
  std::string missing_;
};

}  // namespace sekisho::bench
