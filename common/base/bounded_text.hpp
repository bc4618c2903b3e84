// SPDX-License-Identifier: BSD-3-Clause
// A text that is filled piece by piece, from a file or a decompressor, and may not grow past a limit.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <utility>

namespace sekisho::base {

// Grows as it is filled, never past the limit and the byte that shows it is not kept.
class BoundedText {
 public:
  BoundedText(std::size_t expected, std::size_t limit)
      : limit_(limit), bytes_(std::min(expected, limit) + 1, '\0') {}

  // Where the next bytes go; empty when the limit is passed.
  [[nodiscard]] auto room() -> std::span<char> {
    if (size_ == bytes_.size() && size_ <= limit_)
      bytes_.resize(std::min(std::max<std::size_t>(2 * size_, 1 << 16), limit_ + 1));
    return std::span{bytes_}.subspan(size_);
  }
  void filled(std::size_t size) { size_ += size; }
  [[nodiscard]] bool exceeded() const { return size_ > limit_; }
  [[nodiscard]] auto take() && -> std::string {
    bytes_.resize(size_);
    return std::move(bytes_);
  }

 private:
  std::size_t limit_;
  std::string bytes_;
  std::size_t size_ = 0;
};

}  // namespace sekisho::base
