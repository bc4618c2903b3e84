// SPDX-License-Identifier: BSD-3-Clause
#include "control/reconcile/only_one.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <optional>
#include <thread>

#include "common/ipc/peer.hpp"

namespace sekisho::reconcile {
namespace {

namespace asio = boost::asio;

constexpr std::chrono::milliseconds between_attempts{20};

auto place() -> asio::local::stream_protocol::endpoint {
  return {std::string{"\0sekisho-control", 16}};
}

// Whoever listens there. Without waiting: it may hang.
auto holder(asio::io_context& io) -> std::optional<ipc::Peer> {
  asio::local::stream_protocol::socket probe{io, asio::local::stream_protocol{}};
  probe.non_blocking(true);
  const auto held = place();
  return ::connect(probe.native_handle(), held.data(), static_cast<socklen_t>(held.size())) == 0
             ? ipc::peer_of(probe.native_handle())
             : std::nullopt;
}

bool is_trusted(const ipc::Peer& peer, const std::filesystem::path& dataplane_socket) {
  struct stat found {};
  return peer.is_owner() || (::stat(dataplane_socket.c_str(), &found) == 0 && found.st_uid == peer.user);
}

}  // namespace

auto OnlyOne::take(asio::io_context& io, const std::filesystem::path& dataplane_socket,
                   std::chrono::milliseconds patience)
    -> tl::expected<std::unique_ptr<OnlyOne>, std::string> {
  std::unique_ptr<OnlyOne> one{new OnlyOne{io}};
  const auto deadline = std::chrono::steady_clock::now() + patience;
  for (;;) {
    const auto error = one->bind();
    if (!error) {
      one->answer();
      return one;
    }
    if (error != asio::error::address_in_use) {
      return tl::unexpected(
          fmt::format("it cannot be told whether another sekisho-control runs: {}", error.message()));
    }
    if (std::chrono::steady_clock::now() >= deadline) {
      break;
    }
    std::this_thread::sleep_for(between_attempts);
  }
  const auto other = holder(io);
  if (other && is_trusted(*other, dataplane_socket)) {
    return tl::unexpected(fmt::format(
        "process {} is this network namespace's sekisho-control: stop it first, or start this one with "
        "--take-over",
        other->process));
  }
  spdlog::warn("user {} holds the name by which one sekisho-control knows of another; going on without",
               other ? std::to_string(other->user) : std::string{"unknown"});
  return one;
}

auto OnlyOne::bind() -> boost::system::error_code {
  boost::system::error_code error;
  acceptor_.close(error);
  acceptor_.open(Protocol{}, error);
  if (!error) {
    acceptor_.bind(place(), error);
  }
  if (!error) {
    acceptor_.listen(asio::socket_base::max_listen_connections, error);
  }
  return error;
}

// Who asks wants to know who listens, and that is all; without descriptors those who ask wait, and know as well.
void OnlyOne::answer() {
  acceptor_.async_accept([this](const boost::system::error_code& error, const Protocol::socket&) {
    if (!error) {
      answer();
    }
  });
}

}  // namespace sekisho::reconcile
