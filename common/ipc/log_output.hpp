// SPDX-License-Identifier: BSD-3-Clause
// A file descriptor that a log is written to, whatever it is, without ever waiting for who reads it.
//
// O_NONBLOCK belongs to the open file, which other processes share (a shell's terminal): it is not set on theirs. A pipe or a
// terminal is opened again for us alone; a socket has a flag for each call; a regular file does not make anybody wait.
#pragma once

#include <cstddef>
#include <string_view>

namespace sekisho::ipc {

class LogOutput {
 public:
  explicit LogOutput(int descriptor);  // stays the caller's
  ~LogOutput();
  LogOutput(const LogOutput&) = delete;
  LogOutput& operator=(const LogOutput&) = delete;

  enum class State { open, full, gone };  // full: its reader is behind; gone: there is none
  struct Written {
    std::size_t count = 0;
    State state = State::open;
  };
  [[nodiscard]] Written write(std::string_view bytes) const;
  // Until it takes something again or is gone, at most that long.
  void wait(int milliseconds) const;

 private:
  enum class Kind { socket, file, own, shared };

  int descriptor_;
  Kind kind_ = Kind::shared;
};

}  // namespace sekisho::ipc
