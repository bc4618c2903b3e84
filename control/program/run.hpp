// SPDX-License-Identifier: BSD-3-Clause
// Runs another program without waiting for it: the event loop goes on, and hears how it ended.
//
// The program is not trusted to end, to be quick to start (its file system may hang) or to be brief. It starts on a thread of its
// own, in a process group of its own, as a shell would start it: with all signals at their defaults, no other descriptor than its
// three, and without the capabilities that this process has. When its time is up, or it has printed more than it may, it is killed
// with all that it started.
#pragma once

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace sekisho::program {

struct Command {
  std::string program;  // a path, or a name that is looked for in $PATH
  std::vector<std::string> arguments{};
  std::string input{};                      // on its standard input
  std::chrono::milliseconds limit{10'000};  // from the beginning of its start
  std::size_t most_output = 1 << 20;        // bytes of each of its outputs that are kept
  bool is_killed_for_more = true;           // false: what it prints beyond that is read and forgotten
};

struct Ended {
  // None: with exit status 0. "cannot be run: No such file or directory", "ended with exit status 1", "was killed: it had not
  // ended in time": what follows the program's name in a sentence.
  std::string failure;
  bool was_found = true;  // false: there is no such program
  bool took_too_long = false;
  bool said_too_much = false;
  std::string output;
  std::string errors;
};

class Run {
 public:
  // `done` is called once, from the loop, not before this returns, and never after this is gone: then the program is killed.
  Run(boost::asio::io_context& io, Command command, std::function<void(Ended)> done);
  ~Run();
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;

 private:
  class Process;
  std::shared_ptr<Process> process_;
};

// The first line of what it printed, on its errors before its output, cut to what a log bears; empty: nothing.
[[nodiscard]] auto first_line(const Ended& ended) -> std::string;

}  // namespace sekisho::program
