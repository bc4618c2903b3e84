// SPDX-License-Identifier: BSD-3-Clause
// What takes a transaction's steps back, last first.
#pragma once

#include <functional>
#include <string>
#include <tl/expected.hpp>
#include <utility>
#include <vector>

namespace sekisho::writer {

using Result = tl::expected<void, std::string>;

class Undo {
 public:
  void add(std::function<void()> step) { steps_.push_back(std::move(step)); }
  void run() {
    for (; !steps_.empty(); steps_.pop_back()) {
      steps_.back()();
    }
  }

 private:
  std::vector<std::function<void()>> steps_;
};

}  // namespace sekisho::writer
