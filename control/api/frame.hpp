// A frame on control's socket: a 4-byte big-endian length, then that many bytes of JSON.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace sekisho::api {

inline constexpr std::uint32_t max_reply = 16u << 20;
inline constexpr std::uint32_t max_request = 1u << 20;  // nothing that the CLI asks comes near

using FrameHeader = std::array<unsigned char, 4>;

[[nodiscard]] constexpr std::uint32_t frame_length(const FrameHeader& header) noexcept {
  return std::uint32_t{header[0]} << 24 | std::uint32_t{header[1]} << 16 | std::uint32_t{header[2]} << 8 |
         header[3];
}

[[nodiscard]] inline std::string frame(std::string_view body) {
  const auto length = static_cast<std::uint32_t>(body.size());
  std::string result;
  result.reserve(4 + body.size());
  for (const auto shift : {24, 16, 8, 0}) {
    result.push_back(static_cast<char>(length >> shift & 0xff));
  }
  result.append(body);
  return result;
}

}  // namespace sekisho::api
