// SPDX-License-Identifier: BSD-3-Clause
// The host thread: carries frames between workers and the kernel, so that a worker makes no system call.
//
// Workers cannot wake it without a system call of their own, so while there is a device to serve it looks at the rings at
// least twice a millisecond; what the kernel sends wakes it at once. Without a device it sleeps. It runs on the CPU of the
// thread that makes it, with normal priority.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <future>
#include <mutex>
#include <thread>
#include <vector>

#include "common/base/fd.hpp"
#include "dataplane/host/companion.hpp"
#include "dataplane/host/exit.hpp"

struct rte_mempool;

namespace sekisho::host {

class Thread {
 public:
  explicit Thread(rte_mempool* pool);  // starts with the first port or exit; throws std::system_error
  ~Thread();
  Thread(const Thread&) = delete;
  Thread& operator=(const Thread&) = delete;

  // The writer's; each returns when the thread has seen it.
  void attach(Companion& companion);
  void detach(Companion& companion);
  void attach(Exit& exit);
  void detach(Exit& exit);
  void between_rounds(std::function<void()> change);

 private:
  friend class Companion;
  friend class Exit;
  void run();
  unsigned serve();
  unsigned hand_over(Companion& companion) noexcept;
  void empty(Companion& companion) noexcept;
  void run_changes();
  void wait(std::chrono::nanoseconds longest);
  void watch(Device& device);
  void forget(Device& device) noexcept;
  void replace(Device& device, Tap tap);
  void wake() const noexcept;

  rte_mempool* pool_;
  base::Fd epoll_;
  base::Fd wake_;
  std::atomic<bool> stop_{false};
  std::mutex mutex_;
  std::vector<std::packaged_task<void()>> changes_;  // under the mutex

  // The thread's own.
  std::vector<Companion*> companions_;
  Exit* exit_ = nullptr;

  std::thread thread_;
};

}  // namespace sekisho::host
