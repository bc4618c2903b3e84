// SPDX-License-Identifier: BSD-3-Clause
#include "common/ipc/log_output.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <string>

namespace sekisho::ipc {

LogOutput::LogOutput(int descriptor) : descriptor_(descriptor) {
  struct stat status {};
  if (::fstat(descriptor, &status) != 0) {
    return;
  }
  if (S_ISSOCK(status.st_mode)) {
    kind_ = Kind::socket;
  } else if (S_ISREG(status.st_mode)) {
    kind_ = Kind::file;
  } else {
    const auto path = fmt::format("/proc/self/fd/{}", descriptor);
    const int own = ::open(path.c_str(), O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (own >= 0) {
      descriptor_ = own;
      kind_ = Kind::own;
    }
  }
}

LogOutput::~LogOutput() {
  if (kind_ == Kind::own) {
    ::close(descriptor_);
  }
}

auto LogOutput::write(std::string_view bytes) const -> Written {
  Written result;
  while (result.count < bytes.size()) {
    auto rest = bytes.substr(result.count);
    ssize_t count = 0;
    if (kind_ == Kind::socket) {
      count = ::send(descriptor_, rest.data(), rest.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    } else {
      if (kind_ == Kind::shared) {
        // A pipe that polls as writable has room for that much (pipe(7)), unless another process is quicker.
        rest = rest.substr(0, PIPE_BUF);
        pollfd ready{descriptor_, POLLOUT, 0};
        if (::poll(&ready, 1, 0) == 0) {
          result.state = State::full;
          return result;
        }
      }
      count = ::write(descriptor_, rest.data(), rest.size());
    }
    if (count >= 0) {
      result.count += static_cast<std::size_t>(count);
    } else if (errno != EINTR) {
      const bool is_full = errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS;
      result.state = is_full ? State::full : State::gone;
      return result;
    }
  }
  return result;
}

void LogOutput::wait(int milliseconds) const {
  pollfd ready{descriptor_, POLLOUT, 0};
  ::poll(&ready, 1, milliseconds);
}

}  // namespace sekisho::ipc
