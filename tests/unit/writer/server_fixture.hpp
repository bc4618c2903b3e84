// SPDX-License-Identifier: BSD-3-Clause
// A server of the fixture's writer, on a thread of its own, and its clients.
#pragma once

#include <unistd.h>

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <thread>

#include "dataplane/writer/server.hpp"
#include "tests/unit/writer/writer_fixture.hpp"

namespace sekisho::writer::test {

namespace asio = boost::asio;
using asio::local::stream_protocol;

class Client {
 public:
  explicit Client(const std::filesystem::path& path) {
    socket_.connect(stream_protocol::endpoint{path.native()});
  }

  void send_bytes(std::string_view bytes) { asio::write(socket_, asio::buffer(bytes)); }
  void send(const ipc::Request& request) { send_bytes(frame(request)); }
  static std::string frame(const ipc::Request& request) {
    const auto size = static_cast<std::uint32_t>(request.ByteSizeLong());
    std::string bytes{static_cast<char>(size >> 24), static_cast<char>(size >> 16),
                      static_cast<char>(size >> 8), static_cast<char>(size)};
    request.AppendToString(&bytes);
    return bytes;
  }
  ipc::Message receive() {
    std::array<unsigned char, 4> header{};
    asio::read(socket_, asio::buffer(header));
    std::string bytes(std::size_t{header[0]} << 24 | header[1] << 16 | header[2] << 8 | header[3], '\0');
    asio::read(socket_, asio::buffer(bytes));
    ipc::Message message;
    EXPECT_TRUE(message.ParseFromString(bytes));
    return message;
  }
  ipc::Reply ask(const ipc::Request& request) {
    send(request);
    return receive().reply();
  }
  ipc::Reply begin(bool full) {
    ipc::Request request;
    request.mutable_begin()->set_full(full);
    return ask(request);
  }
  ipc::Reply claim(bool take_over) {
    ipc::Request request;
    request.mutable_claim()->set_take_over(take_over);
    return ask(request);
  }
  ipc::Reply change(const ipc::Change& change) {
    ipc::Request request;
    *request.mutable_change() = change;
    return ask(request);
  }
  ipc::Reply commit() {
    ipc::Request request;
    request.mutable_commit();
    return ask(request);
  }
  bool at_end() {
    char byte = 0;
    boost::system::error_code error;
    asio::read(socket_, asio::buffer(&byte, 1), error);
    return error == asio::error::eof || error == asio::error::connection_reset;
  }

 private:
  asio::io_context io_;
  stream_protocol::socket socket_{io_};
};

class ServerTest : public WriterTest {
 protected:
  ServerTest() {
    std::filesystem::create_directories(directory);
    server = std::make_unique<Server>(io, path, writer);
    thread = std::thread{[this] { io.run(); }};
  }
  ~ServerTest() override {
    io.stop();
    thread.join();
    server.reset();
    EXPECT_FALSE(std::filesystem::exists(path));
    std::filesystem::remove_all(directory);
  }

  static ipc::Request state_request(std::uint64_t id) {
    ipc::Request request;
    request.set_id(id);
    request.mutable_get_state();
    return request;
  }

  std::filesystem::path directory =
      std::filesystem::temp_directory_path() / ("sekisho-server-test-" + std::to_string(getpid()));
  std::filesystem::path path = directory / "dataplane.sock";
  asio::io_context io;
  std::unique_ptr<Server> server;
  std::thread thread;
};

}  // namespace sekisho::writer::test
