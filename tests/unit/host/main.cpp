#include <gtest/gtest.h>
#include <rte_eal.h>
#include <rte_mbuf.h>

#include "tests/unit/host/eal.hpp"
#include "tests/unit/steer/lab.hpp"

namespace sekisho::host {
namespace {
rte_mempool* the_pool = nullptr;
}
rte_mempool* pool() {
  return the_pool;
}
}  // namespace sekisho::host

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  sekisho::lab::enter_private_namespace();
  std::vector<std::string> words{"host_test",
                                 "--no-huge",
                                 "-m",
                                 "64",
                                 "--no-shconf",
                                 "--no-telemetry",
                                 "--no-pci",
                                 "-l",
                                 "0",
                                 "--file-prefix",
                                 "sekisho-host-test-" + std::to_string(getpid()),
                                 "--log-level",
                                 "*:error"};
  std::vector<char*> arguments;
  for (auto& word : words) {
    arguments.push_back(word.data());
  }
  if (rte_eal_init(static_cast<int>(arguments.size()), arguments.data()) < 0) {
    throw std::runtime_error("no EAL");
  }
  sekisho::host::the_pool =
      rte_pktmbuf_pool_create("host-test", 4095, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
  const int result = sekisho::host::the_pool == nullptr ? 1 : RUN_ALL_TESTS();
  rte_eal_cleanup();
  return result;
}
