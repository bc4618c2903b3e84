// SPDX-License-Identifier: BSD-3-Clause
// Reads big-endian numbers off bytes whose lengths nobody has checked yet: a read past the end gives zeros and is
// remembered with its place, so that a parser asks once, after several reads, whether all of them were there.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace sekisho::formats {

class Cursor {
 public:
  // `offset`: of the first of `bytes` in their file. `bytes` outlive the cursor.
  explicit Cursor(std::string_view bytes, std::size_t offset = 0) noexcept : bytes_(bytes), offset_(offset) {}

  [[nodiscard]] std::uint8_t u8() noexcept { return static_cast<std::uint8_t>(number(1)); }
  [[nodiscard]] std::uint16_t u16() noexcept { return static_cast<std::uint16_t>(number(2)); }
  [[nodiscard]] std::uint32_t u32() noexcept { return number(4); }
  // The next `size` bytes: empty when they are not there.
  [[nodiscard]] std::string_view take(std::size_t size) noexcept {
    if (size > bytes_.size()) {
      complete_ = false;
      bytes_ = {};
      return {};
    }
    const auto taken = bytes_.substr(0, size);
    bytes_.remove_prefix(size);
    offset_ += size;
    return taken;
  }
  void skip(std::size_t size) noexcept { static_cast<void>(take(size)); }
  // The next `size` bytes with a cursor of their own.
  [[nodiscard]] Cursor part(std::size_t size) noexcept {
    const auto begin = offset_;
    return Cursor{take(size), begin};
  }

  [[nodiscard]] bool empty() const noexcept { return bytes_.empty(); }
  [[nodiscard]] std::size_t left() const noexcept { return bytes_.size(); }
  // In the file, of the next byte; of the read that failed when one did.
  [[nodiscard]] std::size_t offset() const noexcept { return offset_; }
  // No read went past the end.
  [[nodiscard]] bool complete() const noexcept { return complete_; }

 private:
  [[nodiscard]] std::uint32_t number(std::size_t size) noexcept {
    std::uint32_t value = 0;
    for (const char byte : take(size))
      value = value << 8 | static_cast<std::uint8_t>(byte);
    return value;
  }

  std::string_view bytes_;
  std::size_t offset_;
  bool complete_ = true;
};

}  // namespace sekisho::formats
