// SPDX-License-Identifier: BSD-3-Clause
// The kernel's side of a port. What workers have for it waits in to_host(); on a port that DPDK owns there is a TAP with the
// port's MAC address, and what the kernel sends by it waits in from_host() for the one worker that transmits it.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>

#include "dataplane/host/device.hpp"

namespace sekisho::host {

class Thread;

class Companion {
 public:
  explicit Companion(Thread& thread);  // without a TAP: for what goes out by the exit
  Companion(Thread& thread, Tap tap, std::uint16_t mtu);
  ~Companion();  // closed, if it is not
  Companion(const Companion&) = delete;
  Companion& operator=(const Companion&) = delete;

  [[nodiscard]] rte_ring* to_host() const noexcept { return to_host_.get(); }
  [[nodiscard]] rte_ring* from_host() const noexcept { return device_ ? device_->received.get() : nullptr; }
  [[nodiscard]] bool has_tap() const noexcept { return device_.has_value(); }
  [[nodiscard]] bool has_lost_tap() const noexcept { return device_ && !device_->tap.exists(); }
  void replace_tap(Tap tap);
  void set_carrier(bool up) const noexcept;
  void keep_mtu(std::uint16_t mtu) const;

  // When no worker knows the rings any more: the kernel gets what waits, and refused() is final. The TAP stays.
  void close();

  // Frames that the kernel did not take, of those that workers gave.
  [[nodiscard]] std::uint64_t refused() const noexcept { return refused_.load(std::memory_order_relaxed); }

 private:
  friend class Thread;
  Thread& thread_;
  Ring to_host_{ring_size};
  std::optional<Device> device_;
  std::atomic<std::uint64_t> refused_{0};
};

}  // namespace sekisho::host
