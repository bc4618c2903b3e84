// SPDX-License-Identifier: BSD-3-Clause
#include "common/ipc/frame_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

namespace sekisho::ipc {
namespace {

constexpr std::size_t least_room = std::size_t{64} << 10;
constexpr std::size_t keep_buffer = std::size_t{1} << 20;

}  // namespace

std::span<char> FrameReader::prepare() {
  if (begin_ != 0) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  // A transaction's long frames are rare: their memory is not kept for the short ones.
  if (end_ == 0 && buffer_.size() > keep_buffer) {
    buffer_ = {};
  }
  if (buffer_.size() - end_ < least_room) {
    buffer_.resize(
        std::max(end_ + least_room, std::min(2 * buffer_.size(), frame_header + max_frame + least_room)));
  }
  return std::span{buffer_}.subspan(end_);
}

auto FrameReader::next() -> tl::expected<std::optional<std::string_view>, std::string> {
  if (end_ - begin_ < frame_header) {
    return std::nullopt;
  }
  FrameHeader header;
  std::memcpy(header.data(), buffer_.data() + begin_, frame_header);
  const std::size_t length = frame_length(header);
  if (length > max_frame) {
    return tl::unexpected(fmt::format("a frame of {} bytes is longer than {}", length, max_frame));
  }
  if (end_ - begin_ < frame_header + length) {
    return std::nullopt;
  }
  const std::string_view message{buffer_.data() + begin_ + frame_header, length};
  begin_ += frame_header + length;
  return message;
}

}  // namespace sekisho::ipc
