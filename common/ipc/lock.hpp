// SPDX-License-Identifier: BSD-3-Clause
// A lock between processes: a file that its owner alone may open, so that nobody else can hold it (any user may flock(2) what he
// may read). Gone when it is let go of or its process dies.
#pragma once

#include <sys/types.h>
#include <chrono>
#include <filesystem>
#include <string>

namespace sekisho::ipc {

class Lock {
 public:
  // Waits for a process that holds it, at most that long. Throws std::runtime_error with one sentence, which names that process
  // where the kernel tells.
  explicit Lock(std::filesystem::path path, std::chrono::milliseconds patience = std::chrono::seconds{5});
  ~Lock();
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;

 private:
  bool take();

  std::filesystem::path path_;
  int file_ = -1;
};

// Who holds a flock(2) on that file, as in "process 4711 (dpdk-testpmd)"; "another process" when the kernel does not tell.
[[nodiscard]] std::string holder_of(dev_t device, ino_t inode);

}  // namespace sekisho::ipc
