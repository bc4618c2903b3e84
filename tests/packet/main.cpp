// SPDX-License-Identifier: BSD-3-Clause
// EAL without hugepages, devices, files or telemetry: runs as any user, beside any other DPDK process.
#include <gtest/gtest.h>
#include <rte_eal.h>
#include <unistd.h>

#include <cstdio>
#include <string>
#include <vector>

#include "tests/packet/lab.hpp"

namespace sekisho::test {
namespace {
Lab* the_lab = nullptr;
}
Lab& lab() {
  return *the_lab;
}
}  // namespace sekisho::test

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  std::vector<std::string> words = {"packet_pipeline_test",
                                    "--no-huge",
                                    "-m",
                                    "128",
                                    "--no-shconf",
                                    "--no-pci",
                                    "--no-telemetry",
                                    "--file-prefix",
                                    "sekisho-packet-" + std::to_string(getpid()),
                                    "-l",
                                    "0",
                                    "--log-level",
                                    "*:error"};
  std::vector<char*> arguments;
  for (std::string& word : words) {
    arguments.push_back(word.data());
  }
  if (rte_eal_init(static_cast<int>(arguments.size()), arguments.data()) < 0) {
    std::fputs("EAL does not start\n", stderr);
    return 1;
  }
  int result = 1;
  {
    sekisho::test::Lab lab;
    sekisho::test::the_lab = &lab;
    result = RUN_ALL_TESTS();
  }
  rte_eal_cleanup();
  return result;
}
