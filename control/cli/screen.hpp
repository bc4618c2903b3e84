// SPDX-License-Identifier: BSD-3-Clause
// A terminal that shows one page after another and gets back what it showed before: the alternate screen, without a
// cursor, without line ends wrapped and without the echo of keys.
#pragma once

#include <termios.h>

#include <chrono>
#include <optional>
#include <string_view>

namespace sekisho::cli {

class Screen {
 public:
  Screen();   // of standard output; keys come from standard input when that is a terminal
  ~Screen();  // as it was
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;

  void show(std::string_view page);  // as many of its lines as there is room for

  enum class Event { timeout, resized, quit };  // quit: "q", ctrl-C or a signal that ends programs
  [[nodiscard]] Event wait_until(std::chrono::steady_clock::time_point time);
  [[nodiscard]] static bool is_terminal();

 private:
  std::optional<termios> before_;
  bool has_keys_ = false;
};

}  // namespace sekisho::cli
