// SPDX-License-Identifier: BSD-3-Clause
// A connection to a daemon's socket whose end tells of the daemon's. The kernel closes it when the process is gone, however it went: there
// is no need to ask again and again, and nothing to wait for.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "common/base/fd.hpp"

namespace sekisho::cli {

class Lifeline {
 public:
  explicit Lifeline(std::filesystem::path socket) : socket_(std::move(socket)) {}

  // Whether it is there now: connects where it is not connected. A daemon that hangs, its queue full, is there.
  [[nodiscard]] bool is_there();
  // What can be read, after which it may have ended: then is_there() tries anew.
  void read();
  // False: it could not be sent.
  [[nodiscard]] bool send(std::string_view bytes);
  [[nodiscard]] int descriptor() const { return connection_.get(); }
  // Which connection it is: another one hears nothing of what was sent before.
  [[nodiscard]] unsigned connections() const { return connections_; }
  // What was read since it was connected, and has not been taken away by its reader.
  [[nodiscard]] std::string& said() { return said_; }

 private:
  std::filesystem::path socket_;
  base::Fd connection_;
  unsigned connections_ = 0;  // that there were, this one included
  std::string said_;
};

}  // namespace sekisho::cli
