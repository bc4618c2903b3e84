// DPDK without hugepages or devices, once for the whole program.
#pragma once

struct rte_mempool;

namespace sekisho::host {

[[nodiscard]] rte_mempool* pool();

}  // namespace sekisho::host
