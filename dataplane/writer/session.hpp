// SPDX-License-Identifier: BSD-3-Clause
// One client's connection: frames in, replies in order and events out.
//
// A client that does not read is not served further requests, and holds at most `max_queued` bytes of events
// and replies: beyond that, or when it took nothing for `stall_limit` ticks, the connection is closed. So is one that asks nothing for
// `idle_limit` ticks and does not want events.
#pragma once

#include <sys/types.h>

#include <boost/asio/local/stream_protocol.hpp>
#include <chrono>
#include <deque>
#include <memory>
#include <optional>
#include <string>

#include "common/ipc/frame_reader.hpp"
#include "common/ipc/seats.hpp"
#include "dataplane/writer/writer.hpp"

namespace sekisho::writer {

class Session;

// What a session asks of the server; all of it outlives no session that is not closed.
class Service {
 public:
  virtual ~Service() = default;
  // Everything but routes, which a session streams by itself.
  virtual void handle(Session& session, const ipc::Request& request) = 0;
  virtual void disconnected(Session& session) = 0;
};

class Session : public std::enable_shared_from_this<Session> {
 public:
  static constexpr std::size_t busy_queue = std::size_t{1} << 20;  // above it no request is taken up
  static constexpr std::size_t max_queued = std::size_t{32} << 20;
  static constexpr std::size_t routes_a_chunk = 100'000;
  static constexpr unsigned stall_limit = 30;
  static constexpr unsigned idle_limit = 60;

  Session(boost::asio::local::stream_protocol::socket socket, Service& service);

  void start() { pump(); }
  void close();
  void tick();
  void turn_away(const std::string& reason);
  [[nodiscard]] ipc::Seat seat() const;
  // It has begun a transaction: it is control, which never makes room for another.
  void begins_to_change() noexcept { has_changed_ = true; }

  void reply(ipc::Reply reply);
  // It takes what it is sent more slowly than it comes.
  [[nodiscard]] bool is_behind() const noexcept { return queued_ >= busy_queue; }
  // It is sent what comes: one that says nothing more is not idle.
  void watches() noexcept { watching_ = true; }
  void refuse(std::uint64_t id, const std::string& reason);
  void stream(std::uint64_t id, RouteList list);
  void subscribe() noexcept { subscribed_ = true; }
  void notify(const ipc::Event& event);

  [[nodiscard]] pid_t process() const noexcept {
    return process_;
  }  // that connected; 0: the kernel does not say
  // The client has closed its end, which may not have come to our ears yet.
  [[nodiscard]] bool has_gone();

 private:
  struct Stream {
    std::uint64_t id = 0;
    RouteList list;
    std::size_t sent = 0;
  };

  template <class Work>
  void with_memory(Work work);
  void pump();  // takes up what has come and asks for more, unless the client is behind with reading
  void read();
  void finish(const std::string& reason);  // after the error has been sent
  void next_chunk();
  void send(std::string frame);
  void write();
  void wrote(std::size_t count);

  boost::asio::local::stream_protocol::socket socket_;
  pid_t process_ = 0;
  Service* service_;  // null: closed
  ipc::FrameReader frames_;
  std::deque<std::string> output_;
  std::size_t written_ = 0;  // of the first
  std::size_t queued_ = 0;
  std::optional<Stream> stream_;
  bool reading_ = false;
  bool writing_ = false;
  bool finishing_ = false;
  bool subscribed_ = false;
  bool watching_ = false;
  bool has_changed_ = false;
  bool is_owners_ = false;
  std::chrono::steady_clock::time_point since_ = std::chrono::steady_clock::now();  // its last request
  unsigned stalled_ = 0;
  unsigned idle_ = 0;
};

}  // namespace sekisho::writer
