#include "dataplane/api/frame.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace sekisho::api {
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
  std::size_t length = 0;
  for (std::size_t i = 0; i < frame_header; ++i) {
    length = length << 8 | static_cast<std::uint8_t>(buffer_[begin_ + i]);
  }
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

std::string to_frame(const Message& message) {
  const auto length = message.ByteSizeLong();
  if (length > max_frame) {
    Message instead;
    instead.mutable_reply()->set_id(message.reply().id());
    instead.mutable_reply()->mutable_error()->set_reason(
        fmt::format("the answer of {} bytes does not fit a frame", length));
    return to_frame(instead);
  }
  std::string frame(frame_header, '\0');
  for (std::size_t i = 0; i < frame_header; ++i) {
    frame[i] = static_cast<char>(length >> (8 * (frame_header - 1 - i)) & 0xff);
  }
  message.AppendToString(&frame);
  return frame;
}

}  // namespace sekisho::api
