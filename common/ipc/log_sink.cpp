// SPDX-License-Identifier: BSD-3-Clause
#include "common/ipc/log_sink.hpp"

#include <fmt/format.h>

#include <chrono>
#include <csignal>
#include <new>
#include <string_view>
#include <utility>

namespace sekisho::ipc {
namespace {

constexpr std::chrono::milliseconds look_again{200};
constexpr int longest_goodbye_ms = 200;

std::string_view colour(spdlog::level::level_enum level) {
  switch (level) {
    case spdlog::level::critical:
    case spdlog::level::err:
      return "\033[31m\033[1m";
    case spdlog::level::warn:
      return "\033[33m\033[1m";
    case spdlog::level::info:
      return "\033[32m";
    default:
      return "\033[36m";
  }
}

}  // namespace

LogSink::LogSink(int descriptor, std::string program, bool colours)
    : output_(descriptor), program_(std::move(program)), colours_(colours) {
  // Signals are the program's own threads' to take.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  thread_ = std::thread([this] { work(); });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

LogSink::~LogSink() {
  {
    const std::lock_guard lock(mutex_);
    ends_ = true;
  }
  wake_.notify_one();
  thread_.join();
  for (const auto& line : limit_.take_all()) {
    write(line);
  }
  if (!waiting_.empty()) {
    output_.wait(longest_goodbye_ms);
    drain();
  }
}

void LogSink::sink_it_(const spdlog::details::log_msg& message) {
  const LogLimit::Line line{
      .level = message.level, .time = message.time, .text = {message.payload.data(), message.payload.size()}};
  if (limit_.admit(line, std::chrono::steady_clock::now())) {
    write(message);
  }
  if (!waiting_.empty() || limit_.holds_any()) {
    wake_.notify_one();
  }
}

void LogSink::work() {
  std::unique_lock lock(mutex_);
  while (!ends_) {
    if (waiting_.empty() && !limit_.holds_any()) {
      wake_.wait(lock);
      continue;
    }
    if (waiting_.empty()) {
      wake_.wait_for(lock, look_again);
    } else {
      lock.unlock();
      output_.wait(static_cast<int>(look_again.count()));
      lock.lock();
    }
    try {
      for (const auto& line : limit_.take_due(std::chrono::steady_clock::now())) {
        write(line);
      }
      drain();
    } catch (const std::bad_alloc&) {
      ++lost_;
    }
  }
}

void LogSink::write(const LogLimit::Held& line) {
  spdlog::details::log_msg message(line.time, {}, program_, line.level, line.text);
  write(message);
}

void LogSink::write(const spdlog::details::log_msg& message) {
  spdlog::memory_buf_t formatted;
  formatter_->format(message, formatted);
  std::string line(formatted.data(), formatted.size());
  if (colours_ && message.color_range_end > message.color_range_start) {
    line.insert(message.color_range_end, "\033[m");
    line.insert(message.color_range_start, colour(message.level));
  }
  put(std::move(line));
}

void LogSink::put(std::string line) {
  drain();
  if (waiting_bytes_ + line.size() > most_waiting) {
    ++lost_;
    return;
  }
  waiting_bytes_ += line.size();
  waiting_.push_back(std::move(line));
  drain();
}

void LogSink::drain() {
  while (!waiting_.empty()) {
    auto& line = waiting_.front();
    const auto written = output_.write(line);
    waiting_bytes_ -= written.count;
    line.erase(0, written.count);
    if (written.state == LogOutput::State::full) {
      return;
    }
    if (written.state == LogOutput::State::gone) {
      lost_ += waiting_.size();
      waiting_.clear();
      waiting_bytes_ = 0;
      return;
    }
    waiting_.pop_front();
    if (waiting_.empty() && lost_ != 0) {
      say_what_was_lost();
    }
  }
}

void LogSink::say_what_was_lost() {
  const auto text = fmt::format("{} lines of the log were lost: nobody took them", std::exchange(lost_, 0));
  write({.level = spdlog::level::warn, .time = spdlog::log_clock::now(), .text = text});
}

}  // namespace sekisho::ipc
