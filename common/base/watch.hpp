// SPDX-License-Identifier: BSD-3-Clause
// Which file a thread is reading, for other threads to see. A file on a mount that hangs takes the thread that reads it with
// it, and nothing brings that thread back: whoever must go on reads on a thread of its own and looks here for how long it has
// been at which file.
#pragma once

#include <chrono>
#include <filesystem>
#include <mutex>
#include <optional>

namespace sekisho::base {

// For any thread.
class Watch {
 public:
  // The file that has given no sign of life for `patience`; nothing: none, or the thread is busy with something else.
  [[nodiscard]] auto overdue(std::chrono::milliseconds patience) const
      -> std::optional<std::filesystem::path>;

 private:
  friend class Waiting;
  void set(std::optional<std::filesystem::path> file);

  mutable std::mutex mutex_;
  std::optional<std::filesystem::path> file_;
  std::chrono::steady_clock::time_point since_;
};

// What this thread reads is seen by `watch` for as long as this lives.
class Watched {
 public:
  explicit Watched(Watch& watch) noexcept;
  Watched(const Watched&) = delete;
  Watched& operator=(const Watched&) = delete;
  ~Watched();
};

// Lives while this thread waits for a file. Without a watch it does nothing.
class Waiting {
 public:
  explicit Waiting(const std::filesystem::path& file);
  Waiting(const Waiting&) = delete;
  Waiting& operator=(const Waiting&) = delete;
  ~Waiting();
};

}  // namespace sekisho::base
