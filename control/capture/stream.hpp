// SPDX-License-Identifier: BSD-3-Clause
// A capture's packets, from the dataplane itself: it goes on when sekisho-control has gone. Blocking; one thread.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <memory>
#include <optional>
#include <string>
#include <tl/expected.hpp>

#include "common/ipc/frame_reader.hpp"
#include "dataplane.pb.h"

namespace sekisho::capture {

class Stream {
 public:
  // Returns once the dataplane copies packets, or has said why it does not.
  [[nodiscard]] static auto open(const std::string& socket, const ipc::Capture& wanted)
      -> tl::expected<std::unique_ptr<Stream>, std::string>;

  // Readable when there is more, or the dataplane has gone: then fill(), and take() until there is nothing.
  [[nodiscard]] int descriptor() { return socket_.native_handle(); }
  // Waits for bytes.
  [[nodiscard]] auto fill() -> tl::expected<void, std::string>;
  // Of those that have come; empty: they are not a whole answer.
  [[nodiscard]] auto take() -> tl::expected<std::optional<ipc::Captured>, std::string>;

 private:
  Stream() = default;

  boost::asio::io_context io_;
  boost::asio::local::stream_protocol::socket socket_{io_};
  ipc::FrameReader frames_;
};

}  // namespace sekisho::capture
