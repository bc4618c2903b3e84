// SPDX-License-Identifier: BSD-3-Clause
// The host thread between rings, whose other ends the test holds in a worker's place, and the kernel of the test's own
// network namespace.
#include "dataplane/host/thread.hpp"

#include <gmock/gmock.h>
#include <rte_mbuf.h>

#include <numeric>

#include "common/base/mac_address.hpp"
#include "tests/unit/steer/lab.hpp"
#include "tests/unit/writer/eal.hpp"

namespace sekisho::host {
namespace {

using lab::Bytes;
using writer::test::pool;

constexpr base::MacAddress station{0x02, 0, 0, 0, 0x01, 0x04};
constexpr std::uint32_t remote = 0xc6336450;  // 198.51.100.80

// A frame as a worker hands it over, in as many buffers as it needs.
void give(rte_ring* ring, const Bytes& frame, std::uint32_t type = RTE_PTYPE_L2_ETHER) {
  rte_mbuf* head = nullptr;
  constexpr std::size_t piece_size = 1900;
  for (std::size_t at = 0; at < frame.size(); at += piece_size) {
    rte_mbuf* const piece = rte_pktmbuf_alloc(pool());
    ASSERT_NE(piece, nullptr);
    const auto size = std::min(piece_size, frame.size() - at);
    std::copy_n(frame.begin() + static_cast<std::ptrdiff_t>(at), size,
                rte_pktmbuf_append(piece, static_cast<std::uint16_t>(size)));
    if (head == nullptr) {
      head = piece;
    } else {
      ASSERT_EQ(rte_pktmbuf_chain(head, piece), 0);
    }
  }
  head->packet_type = type;
  ASSERT_EQ(rte_ring_enqueue(ring, head), 0);
}

// The next frame for a worker; empty if none comes.
Bytes take(rte_ring* ring) {
  void* object = nullptr;
  if (!lab::eventually([&] { return rte_ring_dequeue(ring, &object) == 0; })) {
    return {};
  }
  auto* const mbuf = static_cast<rte_mbuf*>(object);
  EXPECT_EQ(rte_mbuf_check(mbuf, 1, nullptr), 0);
  Bytes frame;
  for (const rte_mbuf* piece = mbuf; piece != nullptr; piece = piece->next) {
    const auto* const begin = rte_pktmbuf_mtod(piece, const std::uint8_t*);
    frame.insert(frame.end(), begin, begin + piece->data_len);
  }
  rte_pktmbuf_free(mbuf);
  return frame;
}

Bytes padded(Bytes frame) {
  frame.resize(std::max<std::size_t>(frame.size(), 60));
  return frame;
}

class ThreadTest : public testing::Test {
 protected:
  void SetUp() override { free_before_ = rte_mempool_avail_count(pool()); }
  void TearDown() override {
    thread_.reset();
    remove_stale("", {});
    EXPECT_EQ(rte_mempool_avail_count(pool()), free_before_) << "every buffer came back";
  }
  std::unique_ptr<Companion> companion(const std::string& name, std::uint16_t mtu = 1500) {
    auto tap =
        Tap::open({.kind = Tap::Kind::frames, .name = name, .alias = name, .mtu = mtu, .mac = station});
    if (!tap) {
      throw std::runtime_error(tap.error());
    }
    lab::run("ip link set " + name + " up");
    return std::make_unique<Companion>(*thread_, std::move(*tap), mtu);
  }
  std::unique_ptr<Thread> thread_ = std::make_unique<Thread>(pool());
  unsigned free_before_ = 0;
};

TEST_F(ThreadTest, CarriesFramesBothWaysInTheirOrder) {
  auto lan = companion("lan");
  const lab::Wire kernel("lan");
  for (std::uint32_t i = 0; i < 300; ++i) {
    give(lan->to_host(), lab::ipv4(remote, i));
  }
  for (std::uint32_t i = 0; i < 300; ++i) {
    ASSERT_EQ(kernel.receive(), lab::ipv4(remote, i));
  }
  for (std::uint32_t i = 0; i < 300; ++i) {
    kernel.send(lab::ipv4(remote, i));
  }
  for (std::uint32_t i = 0; i < 300; ++i) {
    ASSERT_EQ(take(lan->from_host()), padded(lab::ipv4(remote, i)));
  }
  EXPECT_EQ(lan->refused(), 0U);
}

TEST_F(ThreadTest, KeepsCompanionsApart) {
  auto lan = companion("lan");
  auto egress = companion("egress");
  const lab::Wire lan_kernel("lan");
  const lab::Wire egress_kernel("egress");
  give(egress->to_host(), lab::ipv4(remote, 2));
  give(lan->to_host(), lab::ipv4(remote, 1));
  EXPECT_EQ(lan_kernel.receive(), lab::ipv4(remote, 1));
  EXPECT_EQ(egress_kernel.receive(), lab::ipv4(remote, 2));
  lan.reset();
  egress_kernel.send(lab::ipv4(remote, 3));
  EXPECT_EQ(take(egress->from_host()), padded(lab::ipv4(remote, 3))) << "the other one has gone meanwhile";
}

TEST_F(ThreadTest, CarriesFramesThatNeedSeveralBuffers) {
  auto lan = companion("lan", 9000);
  const lab::Wire kernel("lan");
  Bytes payload(9000);
  std::iota(payload.begin(), payload.end(), std::uint8_t{0});
  const auto frame = lab::ethernet(0x88b5, payload);
  kernel.send(frame);
  EXPECT_EQ(take(lan->from_host()), frame);
  kernel.send(lab::ipv4(remote));
  EXPECT_EQ(take(lan->from_host()), padded(lab::ipv4(remote))) << "a short one after it";
}

TEST_F(ThreadTest, CountsWhatTheKernelDoesNotTake) {
  auto lan = companion("lan");
  lab::run("ip link set lan down");
  give(lan->to_host(), lab::ipv4(remote));
  EXPECT_TRUE(lab::eventually([&] { return lan->refused() == 1; })) << "its interface is down";
  const auto frame = lab::ipv4(remote);
  give(lan->to_host(), Bytes(frame.begin() + 14, frame.end()), RTE_PTYPE_L3_IPV4);
  EXPECT_TRUE(lab::eventually([&] { return lan->refused() == 2; })) << "there is no exit";
}

TEST_F(ThreadTest, AccountsForWhatWaitsWhenItIsClosed) {
  for (const auto& [state, refused] : {std::pair{"up", 0U}, std::pair{"down", ring_size - 1}}) {
    auto lan = companion("lan");
    lab::run(std::string("ip link set lan ") + state);
    thread_->between_rounds([&] {  // in which nothing is served
      for (std::uint32_t i = 0; i < ring_size - 1; ++i) {
        give(lan->to_host(), lab::ipv4(remote, i));
      }
    });
    lan->close();
    EXPECT_TRUE(rte_ring_empty(lan->to_host()));
    EXPECT_EQ(lan->refused(), refused) << state;
  }
}

TEST_F(ThreadTest, LeavesToTheKernelWhatNoWorkerTakes) {
  auto lan = companion("lan");
  const lab::Wire kernel("lan");
  for (std::uint32_t i = 0; i < ring_size + 100; ++i) {
    kernel.send(lab::ipv4(remote, i));
  }
  ASSERT_TRUE(lab::eventually([&] { return rte_ring_full(lan->from_host()) == 1; }));
  for (std::uint32_t i = 0; i < ring_size + 100; ++i) {
    ASSERT_EQ(take(lan->from_host()), padded(lab::ipv4(remote, i))) << "waited in the TAP's own queue";
  }
}

TEST_F(ThreadTest, NothingIsLeftBehindByAnExitThatGoes) {
  const auto frame = lab::ipv4(remote, 7, mac);
  const Bytes packet(frame.begin() + 14, frame.end());
  auto exit = Exit::open(*thread_).value();
  ASSERT_TRUE(exit->adopt(mac, 1400));
  lab::run("ip link set sekisho0 up");
  Companion port(*thread_);
  thread_->between_rounds([&] {  // in which nothing is served
    for (unsigned i = 0; i < ring_size - 1; ++i) {
      give(port.to_host(), packet, RTE_PTYPE_L3_IPV4);
    }
  });
  exit.reset();
  EXPECT_TRUE(rte_ring_empty(port.to_host()));
  EXPECT_EQ(port.refused(), 0U);
}

TEST_F(ThreadTest, TheExitTakesPacketsAndGivesThemAsIfThePortHadReceivedThem) {
  const auto frame = lab::ipv4(remote, 7, station);
  const Bytes packet(frame.begin() + 14, frame.end());
  auto exit = Exit::open(*thread_).value();
  ASSERT_TRUE(exit->adopt(station, 1400));
  lab::run("ip link set sekisho0 up && ip addr add 192.0.2.99/32 dev sekisho0");
  // An AF_XDP port's: it has no TAP.
  Companion port(*thread_);
  const lab::Wire kernel("sekisho0");
  give(port.to_host(), packet, RTE_PTYPE_L3_IPV4);
  EXPECT_EQ(kernel.receive(), packet);
  EXPECT_EQ(port.refused(), 0U);

  kernel.send(packet);
  auto received = take(exit->packets());
  ASSERT_EQ(received.size(), 60U);
  EXPECT_TRUE(std::equal(station.begin(), station.end(), received.begin()))
      << "addressed to the port's station";
  EXPECT_EQ(Bytes(received.begin() + 12, received.begin() + 14), (Bytes{0x08, 0x00}));
  received.resize(14 + packet.size());
  EXPECT_EQ(Bytes(received.begin() + 14, received.end()), packet);
}

}  // namespace
}  // namespace sekisho::host
