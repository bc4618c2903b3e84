// SPDX-License-Identifier: BSD-3-Clause
// A frame is a 4-byte big-endian length and one message of that length: protobuf on the dataplane's socket, JSON on control's.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace sekisho::ipc {

inline constexpr std::size_t max_frame = std::size_t{16} << 20;  // of the message
inline constexpr std::size_t frame_header = 4;

using FrameHeader = std::array<unsigned char, frame_header>;

[[nodiscard]] constexpr std::uint32_t frame_length(const FrameHeader& header) noexcept {
  return std::uint32_t{header[0]} << 24 | std::uint32_t{header[1]} << 16 | std::uint32_t{header[2]} << 8 |
         header[3];
}

// The header of a message of that length, with room for the message behind it. At most max_frame.
[[nodiscard]] inline std::string begin_frame(std::size_t length) {
  std::string result;
  result.reserve(frame_header + length);
  for (const auto shift : {24, 16, 8, 0}) {
    result.push_back(static_cast<char>(length >> shift & 0xff));
  }
  return result;
}

[[nodiscard]] inline std::string frame(std::string_view message) {
  return begin_frame(message.size()).append(message);
}

}  // namespace sekisho::ipc
