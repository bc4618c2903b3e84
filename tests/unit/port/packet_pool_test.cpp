// SPDX-License-Identifier: BSD-3-Clause
// Where packet buffers lie, asked of the kernel.
#include "dataplane/port/packet_pool.hpp"

#include "common/base/af_xdp_mtu.hpp"

#include <gtest/gtest.h>
#include <rte_mbuf.h>
#include <rte_mempool.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include <cstdint>
#include <fstream>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace sekisho::port {
namespace {

constexpr unsigned buffers = 4000;

class PacketPoolTest : public testing::Test {
 protected:
  ~PacketPoolTest() override { prctl(PR_SET_THP_DISABLE, 0, 0, 0, 0); }

  using Pool = std::unique_ptr<rte_mempool, decltype(&rte_mempool_free)>;
  static Pool make(unsigned count = buffers) {
    return {make_packet_pool("pool-test", count, 0, SOCKET_ID_ANY, PoolMemory::own), rte_mempool_free};
  }
  static bool kernel_makes_huge_pages() {
    std::string modes;
    std::getline(std::ifstream{"/sys/kernel/mm/transparent_hugepage/enabled"}, modes);
    return !modes.empty() && modes.find("[never]") == std::string::npos;
  }
};

// AF_XDP allows none larger than a page.
TEST_F(PacketPoolTest, ABufferForTheLongestPacketsFillsAPage) {
  EXPECT_EQ(buffer_bytes(most_af_xdp_mtu), 4'096U);
  EXPECT_EQ(most_af_xdp_mtu, base::most_af_xdp_mtu) << "as control says";
  EXPECT_EQ(usual_mtu, base::usual_af_xdp_mtu);
  EXPECT_EQ(buffer_bytes(usual_mtu), buffer_bytes(576)) << "never smaller ones";
  const Pool pool{make_packet_pool("pool-test", buffers, 0, SOCKET_ID_ANY, PoolMemory::own, most_af_xdp_mtu),
                  rte_mempool_free};
  ASSERT_NE(pool, nullptr);
  EXPECT_EQ(rte_mempool_calc_obj_size(pool->elt_size, pool->flags, nullptr), 4'096U);
  EXPECT_GE(rte_pktmbuf_data_room_size(pool.get()), RTE_PKTMBUF_HEADROOM + 256U + 14U + most_af_xdp_mtu);
}

TEST_F(PacketPoolTest, LiesInTransparentHugepages) {
  const auto pool = make();
  ASSERT_NE(pool, nullptr);
  const auto pages = pages_of(*pool);
  EXPECT_GE(pages.bytes, std::uint64_t{buffers} * RTE_MBUF_DEFAULT_BUF_SIZE);
  EXPECT_EQ(pages.reserved, 0U);
  EXPECT_EQ(pages.transparent != 0, kernel_makes_huge_pages());
}

TEST_F(PacketPoolTest, LiesInSmallPagesWhereTheKernelMakesNoOthers) {
  ASSERT_EQ(prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0), 0);
  const auto pool = make();
  ASSERT_NE(pool, nullptr);
  const auto pages = pages_of(*pool);
  EXPECT_GE(pages.bytes, std::uint64_t{buffers} * RTE_MBUF_DEFAULT_BUF_SIZE);
  EXPECT_EQ(pages.small(), pages.bytes);
}

TEST_F(PacketPoolTest, HasItsBuffersInOnePieceAndGivesItBack) {
  auto pool = make();
  ASSERT_NE(pool, nullptr);
  ASSERT_EQ(pool->nb_mem_chunks, 1U);
  const auto begin = reinterpret_cast<std::uintptr_t>(STAILQ_FIRST(&pool->mem_list)->addr);
  const auto element = rte_mempool_calc_obj_size(pool->elt_size, pool->flags, nullptr);
  std::vector<rte_mbuf*> mbufs(buffers);
  ASSERT_EQ(rte_pktmbuf_alloc_bulk(pool.get(), mbufs.data(), buffers), 0);
  std::set<std::uintptr_t> places;
  for (rte_mbuf* const mbuf : mbufs) {
    places.insert(reinterpret_cast<std::uintptr_t>(mbuf) - pool->header_size);
    ASSERT_EQ(rte_mbuf_iova_get(mbuf), reinterpret_cast<std::uintptr_t>(mbuf->buf_addr));
  }
  EXPECT_EQ(places.size(), buffers);
  EXPECT_EQ(*places.begin(), begin);
  EXPECT_EQ(*places.rbegin(), begin + (buffers - 1) * element);
  rte_pktmbuf_free_bulk(mbufs.data(), buffers);
  pool.reset();
  EXPECT_EQ(msync(reinterpret_cast<void*>(begin), 1, MS_ASYNC), -1) << "it is mapped still";
}

TEST_F(PacketPoolTest, SaysWhyThereIsNone) {
  EXPECT_EQ(make(1U << 30), nullptr);  // 2.5 TB
}

}  // namespace
}  // namespace sekisho::port
