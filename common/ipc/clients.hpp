// SPDX-License-Identifier: BSD-3-Clause
// The clients of one Unix socket: who comes is given a seat (seats.hpp) or turned away, who goes is forgotten. At the end all are
// closed and the socket is removed, unless another process has put its own there meanwhile.
#pragma once

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <iterator>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/ipc/door.hpp"
#include "common/ipc/seats.hpp"
#include "common/ipc/socket.hpp"

namespace sekisho::ipc {

// Removes a socket at the end of its life, if it is still the one that was there at the beginning.
class SocketFile {
 public:
  explicit SocketFile(std::filesystem::path path) : path_(std::move(path)), identity_(identity(path_)) {}
  SocketFile(const SocketFile&) = delete;
  SocketFile& operator=(const SocketFile&) = delete;
  ~SocketFile() {
    if (identity(path_) == identity_) {
      ::unlink(path_.c_str());
    }
  }

 private:
  static std::pair<dev_t, ino_t> identity(const std::filesystem::path& path) {
    struct stat found {};
    return ::lstat(path.c_str(), &found) == 0 ? std::pair{found.st_dev, found.st_ino}
                                              : std::pair<dev_t, ino_t>{};
  }

  std::filesystem::path path_;
  std::pair<dev_t, ino_t> identity_;
};

// A `Session` has start(), close(), turn_away(reason) and seat(). It is kept until forget(), which is called when it has closed.
template <class Session>
class Clients {
 public:
  using Socket = boost::asio::local::stream_protocol::socket;
  struct Handlers {
    std::function<std::shared_ptr<Session>(Socket)> meet;
    std::string refusal;  // to who finds no seat
  };

  // Throws std::runtime_error with one sentence.
  Clients(boost::asio::io_context& io, const std::filesystem::path& socket, const Access& access,
          Handlers handlers)
      : handlers_(std::move(handlers)),
        door_(listen(io, socket, access), fmt::format("clients of {}", socket.native()),
              {.welcome = [this](Socket client) { welcome(std::move(client)); },
               .make_room = [this] { return make_room(); }}),
        file_(std::filesystem::absolute(socket)) {}
  ~Clients() { close(); }
  Clients(const Clients&) = delete;
  Clients& operator=(const Clients&) = delete;

  void close() {
    while (!sessions_.empty()) {
      const auto session = sessions_.begin()->second;
      session->close();
      forget(*session);
    }
  }
  void forget(Session& session) { sessions_.erase(&session); }

  // As of now: what is done to one may close another.
  [[nodiscard]] auto all() const -> std::vector<std::shared_ptr<Session>> {
    std::vector<std::shared_ptr<Session>> sessions;
    for (const auto& [raw, session] : sessions_) {
      sessions.push_back(session);
    }
    return sessions;
  }

 private:
  void welcome(Socket socket) {
    auto session = handlers_.meet(std::move(socket));
    const auto seating = find_seat(seats(), session->seat().is_owners);
    if (!seating.is_admitted) {
      spdlog::warn("a client is turned away: {} are connected", sessions_.size());
      session->turn_away(handlers_.refusal);
      return;
    }
    if (seating.leaves) {
      leave(*seating.leaves);
    }
    sessions_.emplace(session.get(), session);
    session->start();
  }

  bool make_room() {
    const auto leaves = who_leaves(seats(), true);
    if (leaves) {
      leave(*leaves);
    }
    return leaves.has_value();
  }

  // In the order of `sessions_`.
  [[nodiscard]] auto seats() const -> std::vector<Seat> {
    std::vector<Seat> seats;
    for (const auto& [raw, session] : sessions_) {
      seats.push_back(session->seat());
    }
    return seats;
  }

  void leave(std::size_t which) {
    const auto session = std::next(sessions_.begin(), static_cast<std::ptrdiff_t>(which))->second;
    session->close();
  }

  Handlers handlers_;
  std::map<Session*, std::shared_ptr<Session>> sessions_;
  Door<boost::asio::local::stream_protocol> door_;
  SocketFile file_;
};

}  // namespace sekisho::ipc
