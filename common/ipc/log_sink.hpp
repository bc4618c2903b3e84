// SPDX-License-Identifier: BSD-3-Clause
// Where lines of the log go: to a descriptor, and never at the expense of who logs. A line is written by its caller, so that a
// process that dies has said what it had to say. What the reader does not take at once waits here, up to a limit, for a thread
// that has the time; what is lost beyond that is counted and said.
#pragma once

#include <spdlog/formatter.h>
#include <spdlog/sinks/base_sink.h>

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "common/ipc/log_limit.hpp"
#include "common/ipc/log_output.hpp"

namespace sekisho::ipc {

class LogSink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  static constexpr std::size_t most_waiting = std::size_t{256} << 10;  // bytes

  LogSink(int descriptor, std::string program, bool colours);
  ~LogSink() override;  // waits for a reader that is behind, but not long
  LogSink(const LogSink&) = delete;
  LogSink& operator=(const LogSink&) = delete;

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override;
  void flush_() override {}

 private:
  void work();  // the thread
  void write(const spdlog::details::log_msg& message);
  void write(const LogLimit::Held& line);
  void put(std::string line);
  void drain();
  void say_what_was_lost();

  LogOutput output_;
  std::string program_;
  bool colours_;
  LogLimit limit_;
  std::deque<std::string> waiting_;
  std::size_t waiting_bytes_ = 0;
  std::size_t lost_ = 0;
  bool ends_ = false;
  std::condition_variable wake_;
  std::thread thread_;
};

}  // namespace sekisho::ipc
