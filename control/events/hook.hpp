// SPDX-License-Identifier: BSD-3-Clause
// Runs an operator's program for each event, with the event on its standard input: one at a time, and none for longer than a limit.
// Nothing waits for it. What it prints is read and forgotten but for its first line, which stands in the log when it fails.
//
// Events that come while it runs wait: at most `most`, then the oldest are lost. Of verdicts only the newest waits.
#pragma once

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstddef>
#include <deque>
#include <filesystem>
#include <memory>
#include <string>
#include <tl/expected.hpp>

#include "control/events/event.hpp"
#include "control/program/run.hpp"

namespace sekisho::events {

class Hook {
 public:
  static constexpr std::size_t most = 64;
  static constexpr std::chrono::seconds usual_limit{10};

  explicit Hook(boost::asio::io_context& io, std::chrono::milliseconds limit = usual_limit);
  ~Hook();  // kills what runs
  Hook(const Hook&) = delete;
  Hook& operator=(const Hook&) = delete;

  // Which program from now on; empty: none, and what waits is forgotten.
  void use(std::filesystem::path program);
  void tell(const Event& event);

 private:
  void begin();
  void ended(const program::Ended& how);

  boost::asio::io_context& io_;
  std::chrono::milliseconds limit_;
  std::filesystem::path program_;
  std::deque<Event> waiting_;
  std::size_t lost_ = 0;  // since the last was begun
  std::unique_ptr<program::Run> run_;
};

// Whether it could be run; the error is one sentence.
[[nodiscard]] auto could_run(const std::filesystem::path& program) -> tl::expected<void, std::string>;

}  // namespace sekisho::events
