// SPDX-License-Identifier: BSD-3-Clause
#include "control/cli/lifeline.hpp"

#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "common/ipc/frame.hpp"

namespace sekisho::cli {

bool Lifeline::is_there() {
  if (connection_.valid()) {
    return true;
  }
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const auto& path = socket_.native();
  if (path.size() >= sizeof address.sun_path) {
    return false;
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  base::Fd connection{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
  if (::connect(connection.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return errno == EAGAIN;
  }
  connection_ = std::move(connection);
  ++connections_;
  said_.clear();
  return true;
}

void Lifeline::read() {
  std::array<char, 4096> buffer{};
  while (connection_.valid()) {
    const auto count = ::recv(connection_.get(), buffer.data(), buffer.size(), 0);
    if (count > 0 && said_.size() <= ipc::max_frame) {
      said_.append(buffer.data(), static_cast<std::size_t>(count));
    } else if (count < 0 && errno == EAGAIN) {
      return;
    } else if (count >= 0 || errno != EINTR) {
      connection_ = base::Fd{};
    }
  }
}

bool Lifeline::send(std::string_view bytes) {
  return connection_.valid() && ::send(connection_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
                                    static_cast<ssize_t>(bytes.size());
}

}  // namespace sekisho::cli
