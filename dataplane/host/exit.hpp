// SPDX-License-Identifier: BSD-3-Clause
// sekisho0: the TUN by which packets go to the kernel that it is to masquerade and send out of the exit port. What the kernel
// sends into it, the replies, waits in packets() with an Ethernet header as if it had come in by that port.
#pragma once

#include <cstdint>
#include <memory>
#include <tl/expected.hpp>

#include "common/base/mac_address.hpp"
#include "dataplane/host/device.hpp"

namespace sekisho::host {

class Thread;

inline constexpr const char* exit_name = "sekisho0";
inline constexpr const char* exit_alias = "sekisho exit";

class Exit {
 public:
  [[nodiscard]] static auto open(Thread& thread) -> tl::expected<std::unique_ptr<Exit>, std::string>;
  ~Exit();
  Exit(const Exit&) = delete;
  Exit& operator=(const Exit&) = delete;

  [[nodiscard]] bool has_lost_tun() const noexcept { return !device_.tap.exists(); }
  // The exit port's. Makes the TUN again if it is lost.
  [[nodiscard]] auto adopt(const base::MacAddress& station, std::uint16_t mtu)
      -> tl::expected<void, std::string>;
  void keep_mtu(std::uint16_t mtu) const { device_.tap.keep_mtu(mtu); }
  [[nodiscard]] rte_ring* packets() const noexcept { return device_.received.get(); }

 private:
  friend class Thread;
  Exit(Thread& thread, Tap tap);
  Thread& thread_;
  Device device_;
};

}  // namespace sekisho::host
