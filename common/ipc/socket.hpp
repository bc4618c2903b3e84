// SPDX-License-Identifier: BSD-3-Clause
// Listening on a Unix socket: the one that the dataplane is told what to do on, and the one that control answers on.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <filesystem>
#include <string>

namespace sekisho::ipc {

// Who may connect besides root. The user owns the socket (nobody given: this process's); a group may connect too.
struct Access {
  std::string user;
  std::string group;
};

// Mode 0600, or 0660 for a group, before anybody can connect. What a dead process left is replaced, what a living one
// serves is not. Throws std::runtime_error with one sentence.
[[nodiscard]] auto listen(boost::asio::io_context& io, const std::filesystem::path& path,
                          const Access& access = {}) -> boost::asio::local::stream_protocol::acceptor;

}  // namespace sekisho::ipc
