// SPDX-License-Identifier: BSD-3-Clause
// What systemd wants to know of a service with Type=notify: that it is ready and, where its unit has WatchdogSec,
// again and again that it is alive. Started by anything else, this does nothing.
#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>

namespace sekisho::ipc {

class ServiceManager {
 public:
  // Called from `io`, twice in each watchdog period; calls `alive` once everything has shown that it still moves.
  using Prove = std::function<void(std::function<void()> alive)>;

  // Ready from now on.
  ServiceManager(boost::asio::io_context& io, Prove prove);
  ~ServiceManager();
  ServiceManager(const ServiceManager&) = delete;
  ServiceManager& operator=(const ServiceManager&) = delete;

 private:
  struct Watchdog;
  std::shared_ptr<Watchdog> watchdog_;  // none where nobody watches
};

}  // namespace sekisho::ipc
