// SPDX-License-Identifier: BSD-3-Clause
// A TUN or TAP as the host thread serves it: what the kernel sends into it waits in `received` for a worker.
#pragma once

#include <rte_mbuf.h>

#include <array>
#include <cstdint>
#include <utility>

#include "dataplane/host/ring.hpp"
#include "dataplane/host/tap.hpp"
#include "dataplane/packet/ethernet.hpp"

namespace sekisho::host {

// At a million packets a second half a millisecond, which is as long as the host thread may sleep.
inline constexpr unsigned ring_size = 512;

struct Device {
  explicit Device(Tap opened, unsigned longest_frame) : tap{std::move(opened)}, longest{longest_frame} {}
  ~Device() { rte_pktmbuf_free(spare); }
  Device(const Device&) = delete;
  Device& operator=(const Device&) = delete;

  Tap tap;
  Ring received{ring_size};
  unsigned longest;     // frame that the kernel sends here
  bool is_tun = false;  // packets get `ethernet` in front
  std::array<std::uint8_t, packet::ethernet_header_size> ethernet{};
  bool readable = true;  // until a read says otherwise, then when epoll says so
  rte_mbuf* spare = nullptr;
};

}  // namespace sekisho::host
