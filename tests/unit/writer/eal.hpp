// SPDX-License-Identifier: BSD-3-Clause
// DPDK without hugepages or devices, once for the whole program.
#pragma once

#include <rte_mempool.h>

namespace sekisho::writer::test {

[[nodiscard]] rte_mempool* pool();

}  // namespace sekisho::writer::test
