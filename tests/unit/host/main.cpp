// SPDX-License-Identifier: BSD-3-Clause
#include <gtest/gtest.h>

#include "tests/unit/steer/lab.hpp"

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  sekisho::lab::enter_private_namespace();
  return RUN_ALL_TESTS();
}
