// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <thread>

#include "common/base/detached_read.hpp"
#include "common/base/watch.hpp"

namespace sekisho::test {

// A mount that answers when the test says so. Shared with threads that outlive a reader.
class Mount {
 public:
  // On the thread that reads.
  void read(const std::filesystem::path& file) {
    const base::Waiting waiting{file};
    std::unique_lock lock{mutex_};
    ++reads_;
    changed_.notify_all();
    changed_.wait(lock, [this] { return answers_; });
  }
  void answer() {
    const std::scoped_lock lock{mutex_};
    answers_ = true;
    changed_.notify_all();
  }
  // Answers, and waits until nobody reads any more.
  void end() {
    answer();
    while (base::threads_that_read() != 0) {
      std::this_thread::sleep_for(std::chrono::milliseconds{1});
    }
  }
  void hang() {
    const std::scoped_lock lock{mutex_};
    answers_ = false;
  }
  void wait_for_reads(int count) {
    std::unique_lock lock{mutex_};
    changed_.wait(lock, [&] { return reads_ >= count; });
  }
  [[nodiscard]] int reads() {
    const std::scoped_lock lock{mutex_};
    return reads_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool answers_ = false;
  int reads_ = 0;
};

}  // namespace sekisho::test
