// SPDX-License-Identifier: BSD-3-Clause
// Accepts clients for as long as it lives, also when the process has no file descriptors left: that is said once, clients wait
// in the kernel meanwhile, and a few descriptors are left to what the process itself has to open (files, netlink).
#pragma once

#include <fcntl.h>
#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <sys/resource.h>

#include <algorithm>
#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <utility>

namespace sekisho::ipc {

// How many descriptors clients leave free.
inline constexpr rlim_t spare_descriptors = 16;

// Whether one of that number leaves fewer: the kernel always takes the lowest that is free.
[[nodiscard]] inline bool is_spare(int descriptor) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) {
    return false;
  }
  return static_cast<rlim_t>(descriptor) >= limit.rlim_cur - std::min(spare_descriptors, limit.rlim_cur / 4);
}

template <class Protocol>
class Door {
 public:
  using Acceptor = boost::asio::basic_socket_acceptor<Protocol>;
  using Socket = typename Protocol::socket;
  struct Handlers {
    std::function<void(Socket)> welcome;
    std::function<bool()> make_room;  // a client that does nothing goes; false: there is none
  };

  // `who` for the log: "clients of /run/sekisho/control.sock".
  Door(Acceptor acceptor, std::string who, Handlers handlers)
      : state_(std::make_shared<State>(std::move(acceptor), std::move(who), std::move(handlers))) {
    state_->accept();
  }
  ~Door() {
    boost::system::error_code ignored;
    state_->acceptor.close(ignored);
    state_->pause.cancel();
  }
  Door(const Door&) = delete;
  Door& operator=(const Door&) = delete;

  [[nodiscard]] const Acceptor& acceptor() const noexcept { return state_->acceptor; }

 private:
  static constexpr std::chrono::milliseconds again{100};  // at once would burn a core
  static constexpr std::chrono::seconds settled{5};

  struct State : std::enable_shared_from_this<State> {
    State(Acceptor from, std::string who_comes, Handlers on)
        : acceptor(std::move(from)),
          pause(acceptor.get_executor()),
          who(std::move(who_comes)),
          handlers(std::move(on)) {}

    void accept() {
      acceptor.async_accept([weak = this->weak_from_this()](boost::system::error_code error, Socket socket) {
        if (const auto self = weak.lock(); self && error != boost::asio::error::operation_aborted) {
          self->accepted(error, std::move(socket));
        }
      });
    }

    void accepted(boost::system::error_code error, Socket socket) {
      if (!error && is_spare(socket.native_handle())) {
        error = take_lower_number(socket);
      }
      const auto now = std::chrono::steady_clock::now();
      if (error) {
        last_error = now;
        if (!std::exchange(is_shut, true)) {
          spdlog::warn("{} are not accepted for now: {}", who, error.message());
        }
        handlers.make_room();
        wait();
        return;
      }
      if (is_shut && now - last_error >= settled) {
        is_shut = false;
        spdlog::info("{} are accepted again", who);
      }
      handlers.welcome(std::move(socket));
      accept();
    }

    // That of a client which makes room. Else the spare ones would be used up one by one.
    boost::system::error_code take_lower_number(Socket& socket) {
      const int lower = handlers.make_room() ? ::fcntl(socket.native_handle(), F_DUPFD_CLOEXEC, 0) : -1;
      if (lower < 0) {
        return boost::system::errc::make_error_code(boost::system::errc::too_many_files_open);
      }
      socket = Socket(acceptor.get_executor(), acceptor.local_endpoint().protocol(), lower);
      return {};
    }

    void wait() {
      pause.expires_after(again);
      pause.async_wait([weak = this->weak_from_this()](boost::system::error_code stopped) {
        if (const auto self = weak.lock(); self && !stopped) {
          self->accept();
        }
      });
    }

    Acceptor acceptor;
    boost::asio::steady_timer pause;
    std::string who;
    Handlers handlers;
    bool is_shut = false;  // and the log says so
    std::chrono::steady_clock::time_point last_error;
  };

  std::shared_ptr<State> state_;
};

}  // namespace sekisho::ipc
