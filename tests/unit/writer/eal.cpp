// SPDX-License-Identifier: BSD-3-Clause
#include "tests/unit/writer/eal.hpp"

#include <rte_eal.h>
#include <rte_log.h>
#include <rte_mbuf.h>
#include <unistd.h>

#include <string>
#include <vector>

namespace sekisho::writer::test {

rte_mempool* pool() {
  static rte_mempool* const made = [] {
    std::vector<std::string> arguments{"writer_test",
                                       "--no-huge",
                                       "--no-shconf",
                                       "--no-pci",
                                       "-m",
                                       "128",
                                       "--no-telemetry",
                                       "--lcores=0",
                                       "--file-prefix",
                                       "sekisho-writer-test-" + std::to_string(getpid())};
    std::vector<char*> argv;
    for (auto& argument : arguments) {
      argv.push_back(argument.data());
    }
    rte_log_set_global_level(RTE_LOG_CRIT);
    return rte_eal_init(static_cast<int>(argv.size()), argv.data()) < 0
               ? nullptr
               : rte_pktmbuf_pool_create("test", 8191, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
  }();
  return made;
}

}  // namespace sekisho::writer::test
