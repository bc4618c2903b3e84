// SPDX-License-Identifier: BSD-3-Clause
// Gives out small indexes, the lowest free one first. The owner takes one back only when no worker can know
// it any more.
#pragma once

#include <optional>
#include <vector>

namespace sekisho::writer {

class IndexPool {
 public:
  IndexPool(unsigned first, unsigned end) : capacity_{end - first}, first_{first}, taken_(end) {}

  [[nodiscard]] unsigned capacity() const noexcept { return capacity_; }

  [[nodiscard]] std::optional<unsigned> take() {
    for (unsigned index = first_; index < taken_.size(); ++index) {
      if (!taken_[index]) {
        taken_[index] = true;
        first_ = index + 1;
        return index;
      }
    }
    first_ = static_cast<unsigned>(taken_.size());
    return std::nullopt;
  }
  void give_back(unsigned index) {
    taken_[index] = false;
    if (index < first_) {
      first_ = index;
    }
  }

  // Whether the same are taken.
  friend bool operator==(const IndexPool& a, const IndexPool& b) { return a.taken_ == b.taken_; }

 private:
  unsigned capacity_;
  unsigned first_;  // none below it is free
  std::vector<bool> taken_;
};

}  // namespace sekisho::writer
