// SPDX-License-Identifier: BSD-3-Clause
// Packets that go round in a circle: out of a ring port, through what is measured and back into the same port, as the buffers
// of a queue do. They lie in pages of one kind, and in no order.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "common/base/mac_address.hpp"

struct rte_mbuf;
struct rte_mempool;
struct rte_ring;

namespace sekisho::bench {

inline constexpr std::string_view page_names[] = {"reserved", "transparent", "4k"};
inline constexpr std::size_t page_kinds = std::size(page_names);

// The packets' destination MAC, and what they are sent on with: they come back to the same station.
inline constexpr base::MacAddress station{0x02, 0, 0, 0, 0, 1};
inline constexpr base::MacAddress neighbour{0x02, 0, 0, 0, 0, 2};

class Circuit {
 public:
  // As many as four queues of an AF_XDP port hold. Their 8 KB and more of 4 KB pages do not fit into a TLB.
  static constexpr unsigned packets = 4096;

  explicit Circuit(std::size_t pages);  // an index of page_names; throws std::runtime_error with the reason
  ~Circuit();
  Circuit(const Circuit&) = delete;
  Circuit& operator=(const Circuit&) = delete;

  // Bytes of IPv4: with a record of one route.
  static constexpr unsigned header_with_options = 28;

  // All packets anew: TCP from 10/8 to public addresses, each a flow of its own, TTL 255.
  void refill(unsigned frame_bytes, bool with_options);
  [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
  // None was lost.
  [[nodiscard]] bool complete() const;

 private:
  void make_pool(std::size_t pages);
  void make_port(const std::string& name);

  rte_mempool* pool_ = nullptr;
  rte_ring* ring_ = nullptr;
  std::uint16_t port_ = 0;
  std::vector<rte_mbuf*> mbufs_;
};

}  // namespace sekisho::bench
