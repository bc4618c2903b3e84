// SPDX-License-Identifier: BSD-3-Clause
#include "control/cli/screen.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <string>

namespace sekisho::cli {
namespace {

constexpr std::array quitting{SIGINT, SIGTERM, SIGHUP, SIGALRM};
volatile std::sig_atomic_t has_to_quit = 0;
volatile std::sig_atomic_t was_resized = 0;

void on_signal(int number) {
  if (number == SIGWINCH) {
    was_resized = 1;
    return;
  }
  has_to_quit = 1;
  // Again in a second: it may have come between the last look at it and a call that waits for a control that hangs.
  ::alarm(1);
}

// Without SA_RESTART: a quit also ends waiting for a control that does not answer.
void listen_to(int number) {
  struct sigaction action {};
  action.sa_handler = on_signal;
  ::sigaction(number, &action, nullptr);
}

unsigned rows() {
  winsize size{};
  constexpr unsigned usual = 24;
  return ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row != 0 ? size.ws_row : usual;
}

// Xterm's control sequences, which every terminal of today has: the alternate screen, the cursor, auto-wrap.
constexpr const char* enter = "\033[?1049h\033[?25l\033[?7l";
constexpr const char* leave = "\033[?7h\033[?25h\033[?1049l";
constexpr const char* home = "\033[H";
constexpr const char* clear_line = "\033[K";
constexpr const char* clear_rest = "\033[J";

}  // namespace

bool Screen::is_terminal() {
  return ::isatty(STDOUT_FILENO) != 0;
}

Screen::Screen() : has_keys_(::isatty(STDIN_FILENO) != 0) {
  for (const auto number : quitting) {
    listen_to(number);
  }
  listen_to(SIGWINCH);
  if (termios now{}; has_keys_ && ::tcgetattr(STDIN_FILENO, &now) == 0) {
    before_ = now;
    now.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
    now.c_cc[VSUSP] = _POSIX_VDISABLE;  // a shell cannot use the alternate screen
    ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &now);
  }
  fmt::print("{}", enter);
  std::fflush(stdout);
}

Screen::~Screen() {
  fmt::print("{}", leave);
  std::fflush(stdout);
  if (before_) {
    ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &*before_);
  }
}

void Screen::show(std::string_view page) {
  std::string out = home;
  const auto room = rows();
  for (unsigned row = 0; row < room && !page.empty(); ++row) {
    const auto end = page.find('\n');
    out += page.substr(0, end);
    out += clear_line;
    page.remove_prefix(end == std::string_view::npos ? page.size() : end + 1);
    if (row + 1 < room) {
      out += "\r\n";
    }
  }
  fmt::print("{}{}", out, clear_rest);
  std::fflush(stdout);
}

// Signals are let in only while it waits, so that none slips in between looking and waiting.
auto Screen::wait_until(std::chrono::steady_clock::time_point time) -> Event {
  sigset_t all;
  sigset_t open;
  ::sigfillset(&all);
  ::sigprocmask(SIG_SETMASK, &all, &open);
  auto event = Event::timeout;
  for (auto waits = true; waits;) {
    if (has_to_quit != 0) {
      event = Event::quit;
      break;
    }
    if (was_resized != 0) {
      was_resized = 0;
      event = Event::resized;
      break;
    }
    const auto left =
        std::max(time - std::chrono::steady_clock::now(), std::chrono::steady_clock::duration::zero());
    const auto nanoseconds = std::chrono::duration_cast<std::chrono::nanoseconds>(left).count();
    const timespec timeout{.tv_sec = nanoseconds / 1'000'000'000, .tv_nsec = nanoseconds % 1'000'000'000};
    pollfd keys{.fd = has_keys_ ? STDIN_FILENO : -1, .events = POLLIN, .revents = 0};
    const auto ready = ::ppoll(&keys, 1, &timeout, &open);
    if (ready > 0) {
      char key = 0;
      has_keys_ = ::read(STDIN_FILENO, &key, 1) == 1;  // a terminal that hung up has no more
      if (key == 'q' || key == 'Q' || !has_keys_) {
        event = Event::quit;
        waits = false;
      }
    } else {
      waits = ready < 0 && errno == EINTR;
    }
  }
  ::sigprocmask(SIG_SETMASK, &open, nullptr);
  return event;
}

}  // namespace sekisho::cli
