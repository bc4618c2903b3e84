// SPDX-License-Identifier: BSD-3-Clause
#include "control/capture/stream.hpp"

#include <fmt/format.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/write.hpp>

#include "common/ipc/frame.hpp"

namespace sekisho::capture {

namespace asio = boost::asio;

auto Stream::open(const std::string& path, const ipc::Capture& wanted)
    -> tl::expected<std::unique_ptr<Stream>, std::string> {
  std::unique_ptr<Stream> stream{new Stream};
  constexpr std::size_t longest = 107;  // sun_path with its end
  if (path.empty() || path.size() > longest) {
    return tl::unexpected(fmt::format("the socket's path must have 1 to {} bytes", longest));
  }
  const asio::local::stream_protocol::endpoint endpoint{path};
  boost::system::error_code error;
  stream->socket_.connect(endpoint, error);
  if (error) {
    return tl::unexpected(fmt::format(
        "cannot reach the dataplane at {}: {}", path,
        error == boost::system::errc::no_such_file_or_directory || error == asio::error::connection_refused
            ? "is sekisho-dataplane running?"
            : error.message()));
  }
  ipc::Request request;
  request.set_id(1);
  *request.mutable_capture() = wanted;
  asio::write(stream->socket_, asio::buffer(ipc::frame(request.SerializeAsString())), error);
  if (error) {
    return tl::unexpected(fmt::format("the dataplane at {} takes no request: {}", path, error.message()));
  }
  // What was copied before the first answer is nothing yet.
  for (auto first = stream->take();; first = stream->take()) {
    if (!first) {
      return tl::unexpected(first.error());
    }
    if (*first) {
      return stream;
    }
    if (auto filled = stream->fill(); !filled) {
      return tl::unexpected(filled.error());
    }
  }
}

auto Stream::fill() -> tl::expected<void, std::string> {
  const auto room = frames_.prepare();
  boost::system::error_code error;
  frames_.commit(socket_.read_some(asio::buffer(room.data(), room.size()), error));
  if (error) {
    return tl::unexpected(fmt::format("the dataplane has gone: {}", error.message()));
  }
  return {};
}

auto Stream::take() -> tl::expected<std::optional<ipc::Captured>, std::string> {
  const auto frame = frames_.next();
  if (!frame) {
    return tl::unexpected(frame.error());
  }
  if (!*frame) {
    return std::nullopt;
  }
  ipc::Message message;
  if (!message.ParseFromArray((*frame)->data(), static_cast<int>((*frame)->size()))) {
    return tl::unexpected(std::string{"what the dataplane sent is no message"});
  }
  if (message.reply().has_error()) {
    return tl::unexpected(message.reply().error().reason());
  }
  if (!message.reply().has_captured()) {
    return tl::unexpected(std::string{"the dataplane answered something else: is it of another version?"});
  }
  return std::move(*message.mutable_reply()->mutable_captured());
}

}  // namespace sekisho::capture
