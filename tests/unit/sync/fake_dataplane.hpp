// SPDX-License-Identifier: BSD-3-Clause
// A dataplane's socket without a dataplane: real frames, answers that a test chooses.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "dataplane.pb.h"

namespace sekisho::test {

class FakeDataplane {
 public:
  using Socket = boost::asio::local::stream_protocol::socket;

  FakeDataplane(boost::asio::io_context& io, const std::filesystem::path& path)
      : io_(io), path_(path), acceptor_(io), client_(io) {
    listen();
  }
  ~FakeDataplane() { std::filesystem::remove(path_); }
  FakeDataplane(const FakeDataplane&) = delete;
  FakeDataplane& operator=(const FakeDataplane&) = delete;

  void listen() {
    std::filesystem::remove(path_);
    acceptor_ = boost::asio::local::stream_protocol::acceptor(io_, path_.string());
    accept();
  }
  // As if it had died: no client, nobody listens.
  void die() {
    acceptor_.close();
    client_.close();
    std::filesystem::remove(path_);
  }
  void hang_up() { client_.close(); }

  void send(const ipc::Message& message) { send_raw(message.SerializeAsString()); }
  void send_raw(const std::string& body) {
    const auto size = static_cast<std::uint32_t>(body.size());
    const std::array<char, 4> header{static_cast<char>(size >> 24), static_cast<char>(size >> 16 & 0xff),
                                     static_cast<char>(size >> 8 & 0xff), static_cast<char>(size & 0xff)};
    boost::asio::write(client_, std::array<boost::asio::const_buffer, 2>{boost::asio::buffer(header),
                                                                         boost::asio::buffer(body)});
  }

  // What it does with a request; by default it says Done, and Committed to a Commit.
  std::function<void(const ipc::Request&)> on_request = [this](const ipc::Request& request) {
    say_yes(request);
  };
  void say_yes(const ipc::Request& request) {
    ipc::Message message;
    message.mutable_reply()->set_id(request.id());
    if (request.has_commit()) {
      message.mutable_reply()->mutable_committed()->set_transaction(++transaction);
    } else {
      message.mutable_reply()->mutable_done();
    }
    send(message);
  }
  void say_no(const ipc::Request& request, const std::string& reason) {
    ipc::Message message;
    message.mutable_reply()->set_id(request.id());
    message.mutable_reply()->mutable_error()->set_reason(reason);
    send(message);
  }

  bool greets = true;  // false: as if it hung
  std::vector<ipc::Request> requests;
  int connections = 0;
  std::uint64_t transaction = 0;

 private:
  void accept() {
    acceptor_.async_accept([this](const boost::system::error_code& error, Socket socket) {
      if (!error) {
        client_ = std::move(socket);
        ++connections;
        read();
        accept();
      }
    });
  }
  void read() {
    boost::asio::async_read(client_, boost::asio::buffer(header_), [this](const auto& error, std::size_t) {
      if (error) {
        return;
      }
      std::size_t size = 0;
      for (const auto byte : header_) {
        size = size << 8 | byte;
      }
      std::string body(size, '\0');
      boost::asio::read(client_, boost::asio::buffer(body));
      ipc::Request request;
      ASSERT_TRUE(request.ParseFromString(body));
      if (request.has_subscribe()) {  // how the client finds out that somebody is there
        if (greets) {
          say_yes(request);
        }
        read();
        return;
      }
      requests.push_back(request);
      const int connection = connections;
      on_request(request);
      if (client_.is_open() && connection == connections) {
        read();
      }
    });
  }

  boost::asio::io_context& io_;
  std::filesystem::path path_;
  boost::asio::local::stream_protocol::acceptor acceptor_;
  Socket client_;
  std::array<std::uint8_t, 4> header_{};
};

}  // namespace sekisho::test
