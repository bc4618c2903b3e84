// SPDX-License-Identifier: BSD-3-Clause
#include "common/ipc/service_manager.hpp"

#include <systemd/sd-daemon.h>

#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <utility>

namespace sekisho::ipc {

struct ServiceManager::Watchdog : std::enable_shared_from_this<Watchdog> {
  Watchdog(boost::asio::io_context& io, std::chrono::microseconds beat, Prove ask)
      : timer{io}, interval{beat}, prove{std::move(ask)} {}

  void wait() {
    timer.expires_after(interval);
    timer.async_wait([self = weak_from_this()](boost::system::error_code aborted) {
      const auto watchdog = self.lock();
      if (aborted || !watchdog) {
        return;
      }
      // The proof may come when we are gone.
      watchdog->prove([self] {
        if (const auto alive = self.lock()) {
          sd_notify(0, "WATCHDOG=1");
          alive->wait();
        }
      });
    });
  }

  boost::asio::steady_timer timer;
  std::chrono::microseconds interval;
  Prove prove;
};

ServiceManager::ServiceManager(boost::asio::io_context& io, Prove prove) {
  std::uint64_t period_us = 0;
  if (sd_watchdog_enabled(0, &period_us) > 0) {
    // sd_watchdog_enabled(3): "a daemon [should] send a keep-alive notification message ... every half of the time"
    watchdog_ = std::make_shared<Watchdog>(io, std::chrono::microseconds{period_us / 2}, std::move(prove));
    watchdog_->wait();
  }
  sd_notify(0, "READY=1");
}

ServiceManager::~ServiceManager() = default;

}  // namespace sekisho::ipc
