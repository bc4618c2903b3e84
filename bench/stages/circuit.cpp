// SPDX-License-Identifier: BSD-3-Clause
#include "bench/stages/circuit.hpp"

#include <fmt/format.h>
#include <rte_eth_ring.h>
#include <rte_ethdev.h>
#include <rte_ip.h>
#include <rte_mbuf.h>
#include <rte_tcp.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <random>
#include <stdexcept>

#include "dataplane/port/packet_pool.hpp"

namespace sekisho::bench {
namespace {

// As many as the dataplane has by default, about: those on their way are scattered over them.
constexpr unsigned pool_size = 65536;

void require(bool good, std::string_view what) {
  if (!good) {
    throw std::runtime_error{std::string{what}};
  }
}

struct Headers {
  rte_ether_hdr ethernet;
  rte_ipv4_hdr ip;
  rte_tcp_hdr tcp;
};
static_assert(sizeof(Headers) == 54, "as on the wire");

// Unicast, and nobody's own.
std::uint32_t public_address(std::mt19937& random) {
  for (;;) {
    const auto address = static_cast<std::uint32_t>(random());
    const auto first = address >> 24;
    if (first != 0 && first != 10 && first != 127 && first != 169 && first < 224) {
      return address;
    }
  }
}

Headers make_headers(unsigned frame_bytes, std::mt19937& random) {
  Headers headers{};
  std::copy(station.begin(), station.end(), headers.ethernet.dst_addr.addr_bytes);
  std::copy(neighbour.begin(), neighbour.end(), headers.ethernet.src_addr.addr_bytes);
  headers.ethernet.ether_type = rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4);
  headers.ip.version_ihl = RTE_IPV4_VHL_DEF;
  headers.ip.total_length = rte_cpu_to_be_16(static_cast<std::uint16_t>(frame_bytes - sizeof(rte_ether_hdr)));
  headers.ip.time_to_live = 255;
  headers.ip.next_proto_id = IPPROTO_TCP;
  headers.ip.src_addr = rte_cpu_to_be_32(0x0a00'0000 | (random() & 0xff'ffff));
  headers.ip.dst_addr = rte_cpu_to_be_32(public_address(random));
  headers.ip.hdr_checksum = rte_ipv4_cksum(&headers.ip);
  headers.tcp.src_port = static_cast<rte_be16_t>(random());
  headers.tcp.dst_port = static_cast<rte_be16_t>(random());
  headers.tcp.data_off = sizeof(rte_tcp_hdr) / 4 << 4;
  headers.tcp.tcp_flags = RTE_TCP_ACK_FLAG;
  return headers;
}

// RFC 791, 3.1: record route, with room for one address, and the list's end. They are where TCP's header was, whose ports come behind.
void put_options(std::byte* header) {
  constexpr std::array<std::uint8_t, 8> options{7, 7, 4, 0, 0, 0, 0, 0};
  std::memcpy(header + sizeof(rte_ipv4_hdr) + options.size(), header + sizeof(rte_ipv4_hdr), 4);
  std::memcpy(header + sizeof(rte_ipv4_hdr), options.data(), options.size());
  auto& ip = *reinterpret_cast<rte_ipv4_hdr*>(header);
  ip.version_ihl = RTE_IPV4_VHL_DEF + options.size() / 4;
  ip.hdr_checksum = 0;
  ip.hdr_checksum = static_cast<rte_be16_t>(~rte_raw_cksum(header, sizeof(rte_ipv4_hdr) + options.size()));
}

}  // namespace

Circuit::Circuit(std::size_t pages) {
  make_pool(pages);
  make_port(fmt::format("circuit{}", pages));
  mbufs_.resize(rte_mempool_avail_count(pool_));
  require(rte_pktmbuf_alloc_bulk(pool_, mbufs_.data(), static_cast<unsigned>(mbufs_.size())) == 0,
          "no packet buffers");
  std::shuffle(mbufs_.begin(), mbufs_.end(), std::mt19937{1});
  mbufs_.resize(packets);
}

Circuit::~Circuit() {
  rte_eth_dev_stop(port_);
  rte_eth_dev_close(port_);
  rte_ring_free(ring_);
  rte_mempool_free(pool_);
}

// Of reserved pages, as the benchmark's DPDK has, or of the pool's own memory, for which the kernel makes huge pages or not.
void Circuit::make_pool(std::size_t pages) {
  const auto name = std::string{page_names[pages]};
  const bool small = name == "4k";
  prctl(PR_SET_THP_DISABLE, small ? 1 : 0, 0, 0, 0);
  pool_ = port::make_packet_pool(name, pool_size, 0, SOCKET_ID_ANY,
                                 name == "reserved" ? port::PoolMemory::dpdk : port::PoolMemory::own);
  prctl(PR_SET_THP_DISABLE, 0, 0, 0, 0);
  require(pool_ != nullptr, "no memory for packets");
  const auto* const memory = STAILQ_FIRST(&pool_->mem_list);
  if (small) {  // not later either
    madvise(memory->addr, memory->len, MADV_NOHUGEPAGE);
  }
  const auto given = port::pages_of(*pool_);
  const auto as_wanted = small ? given.small() : name == "reserved" ? given.reserved : given.transparent;
  require(given.bytes != 0 && as_wanted == given.bytes,
          fmt::format("the kernel gave {} of {} KB in {} pages", as_wanted >> 10, given.bytes >> 10, name));
}

void Circuit::make_port(const std::string& name) {
  ring_ = rte_ring_create(name.c_str(), 2 * packets, SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ);
  require(ring_ != nullptr, "no memory for a ring");
  const int port = rte_eth_from_rings(name.c_str(), &ring_, 1, &ring_, 1, 0);
  require(port >= 0, "no ring port");
  port_ = static_cast<std::uint16_t>(port);
  const rte_eth_conf configuration{};
  require(rte_eth_dev_configure(port_, 1, 1, &configuration) == 0 &&
              rte_eth_rx_queue_setup(port_, 0, packets, SOCKET_ID_ANY, nullptr, pool_) == 0 &&
              rte_eth_tx_queue_setup(port_, 0, packets, SOCKET_ID_ANY, nullptr) == 0 &&
              rte_eth_dev_start(port_) == 0,
          "a ring port does not start");
}

void Circuit::refill(unsigned frame_bytes, bool with_options) {
  rte_ring_reset(ring_);
  std::mt19937 random{2};
  for (rte_mbuf* const mbuf : mbufs_) {
    const auto headers = make_headers(frame_bytes, random);
    auto* const frame = rte_pktmbuf_mtod(mbuf, std::byte*);
    std::memcpy(frame, &headers, sizeof headers);
    if (with_options) {
      put_options(frame + sizeof(rte_ether_hdr));
    }
    mbuf->pkt_len = frame_bytes;
    mbuf->data_len = static_cast<std::uint16_t>(frame_bytes);
  }
  require(rte_ring_enqueue_bulk(ring_, reinterpret_cast<void**>(mbufs_.data()), packets, nullptr) == packets,
          "the ring is full");
}

bool Circuit::complete() const {
  return rte_ring_count(ring_) == packets;
}

}  // namespace sekisho::bench
