// SPDX-License-Identifier: BSD-3-Clause
// What a policy warns of: so many that a person reads them, and how many more there were.
#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace sekisho::policy {

class Warnings {
 public:
  void add(std::string text) {
    // A file that is named twice would repeat every line.
    constexpr std::size_t most = 20;
    if (warnings_.size() < most)
      warnings_.push_back(std::move(text));
    else
      ++left_out_;
  }
  [[nodiscard]] auto take() && -> std::vector<std::string> {
    if (left_out_ != 0)
      warnings_.push_back("and " + std::to_string(left_out_) + " more warnings");
    return std::move(warnings_);
  }

 private:
  std::vector<std::string> warnings_;
  std::size_t left_out_ = 0;
};

}  // namespace sekisho::policy
