// SPDX-License-Identifier: BSD-3-Clause
// The packet buffers that net_af_xdp posts to the kernel while it sets a queue up, and forgets when that fails: 2048 of the pool
// each time. They lie in the socket's fill ring, which is unmapped when the PMD has libxdp delete the UMEM. The dynamic linker
// finds our xsk_umem__delete() first, which every program that links this room exports; it looks into the rings and goes on to
// libxdp's own.
#pragma once

#include <set>
#include <string>

struct rte_mbuf;
struct rte_mempool;

namespace sekisho::port {

// Of a port that is being opened; one at a time, by one thread. Ends when the port is open, or when what it knows has been given
// back to the pool.
class PostedBuffers {
 public:
  explicit PostedBuffers(const rte_mempool& pool);
  ~PostedBuffers();
  PostedBuffers(const PostedBuffers&) = delete;
  PostedBuffers& operator=(const PostedBuffers&) = delete;

  // Those in fill rings that were mapped since the beginning, also if they are not mapped any more. Nothing was received.
  [[nodiscard]] const std::set<rte_mbuf*>& find();

 private:
  const rte_mempool& pool_;
  std::set<std::string> mapped_before_;
  std::set<rte_mbuf*> buffers_;
};

}  // namespace sekisho::port
