// SPDX-License-Identifier: BSD-3-Clause
// A veth pair in a namespace of the test's own, ports on it, and the pool that they share.
#pragma once

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <rte_eal.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <rte_mempool.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "dataplane/port/open_files.hpp"
#include "dataplane/port/packet_pool.hpp"
#include "dataplane/port/port.hpp"
#include "tests/unit/steer/lab.hpp"

namespace sekisho::port {

using lab::Bytes;

inline constexpr std::uint32_t local = 0x0a000104;  // 10.0.1.4
inline constexpr std::uint32_t remote = 0x08080808;
inline constexpr std::uint16_t ring = 2048;

inline rte_mempool* pool = nullptr;

inline void start_eal(const char* program) {
  std::vector<std::string> words{program,
                                 "--no-huge",
                                 "-m",
                                 "256",
                                 "--no-shconf",
                                 "--no-telemetry",
                                 "--no-pci",
                                 "-l",
                                 "0",
                                 "--file-prefix",
                                 fmt::format("sekisho-port-test-{}", getpid()),
                                 "--log-level",
                                 "*:error"};
  std::vector<char*> arguments;
  for (auto& word : words) {
    arguments.push_back(word.data());
  }
  if (rte_eal_init(static_cast<int>(arguments.size()), arguments.data()) < 0) {
    throw std::runtime_error("no EAL");
  }
  pool = make_packet_pool("port-test", 40000, 0, 0, PoolMemory::own);
  if (pool == nullptr) {
    throw std::runtime_error("no pool");
  }
}

inline decide::HostSources anybody() {
  decide::HostSources::Rules rules;
  rules.allow({{0, 0}});
  return decide::HostSources{std::move(rules)};
}

inline std::unique_ptr<Port> must_open(const PortConfig& config, unsigned workers = 1) {
  auto port = Port::open(config, anybody(), workers, pool);
  if (!port) {
    throw std::runtime_error(port.error());
  }
  return std::move(*port);
}

inline std::string refusal(const PortConfig& config, unsigned workers = 1) {
  const auto port = Port::open(config, anybody(), workers, pool);
  return port ? "opened" : port.error();
}

inline PortConfig config_of(const std::string& device) {
  return {.name = "p", .device = device, .local = {local}};
}

// Up to `count` frames; fewer if no more come.
inline std::vector<rte_mbuf*> receive(const Port& port, std::size_t count, std::uint16_t queue = 0) {
  std::vector<rte_mbuf*> frames;
  std::array<rte_mbuf*, 32> burst{};
  lab::eventually([&] {
    std::uint16_t got = 0;
    do {
      const auto most =
          static_cast<std::uint16_t>(std::min<std::size_t>(burst.size(), count - frames.size()));
      got = rte_eth_rx_burst(port.dpdk_port(), queue, burst.data(), most);
      frames.insert(frames.end(), burst.begin(), burst.begin() + got);
    } while (got > 0 && frames.size() < count);
    return frames.size() >= count;
  });
  if (frames.size() < count) {
    for (const auto& [name, value] : port.steer_counters()) {
      ADD_FAILURE() << name << " " << value;
    }
    ADD_FAILURE() << "missed " << port.missed() << " held " << port.held();
  }
  return frames;
}

inline Bytes bytes_of(const rte_mbuf* frame) {
  const auto* begin = rte_pktmbuf_mtod(frame, const std::uint8_t*);
  return {begin, begin + rte_pktmbuf_data_len(frame)};
}

inline void free_all(const std::vector<rte_mbuf*>& frames) {
  for (rte_mbuf* frame : frames) {
    rte_pktmbuf_free(frame);
  }
}

class PortTest : public testing::Test {
 protected:
  void SetUp() override {
    lab::make_veth("port0", "port1");
    lab::run("ip addr add 10.0.1.4/24 dev port0");
    free_before_ = rte_mempool_avail_count(pool);
  }
  void TearDown() override {
    lab::remove("port0");
    EXPECT_EQ(rte_mempool_avail_count(pool), free_before_) << "every buffer came back";
    EXPECT_TRUE(kernel_files().empty()) << "the PMD left sockets or BPF objects open";
  }
  unsigned free_before_ = 0;
};

}  // namespace sekisho::port
