// SPDX-License-Identifier: BSD-3-Clause
// Serves the writer on a Unix socket, to several clients at once. One thread: the io_context's.
#pragma once

#include <boost/asio/io_context.hpp>
#include <filesystem>
#include <memory>

#include "common/ipc/socket.hpp"
#include "dataplane/writer/writer.hpp"

namespace sekisho::writer {

class Server {
 public:
  // Throws std::runtime_error, one sentence, when the socket cannot be had. Serves when `io` runs.
  Server(boost::asio::io_context& io, std::filesystem::path socket, Writer& writer,
         const ipc::Access& access = {});
  ~Server();  // ends all connections and removes the socket
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sekisho::writer
