// SPDX-License-Identifier: BSD-3-Clause
// The kernel's files, laid out in a folder.
#include "dataplane/hugepages.hpp"

#include <gtest/gtest.h>

#include "tests/unit/temporary_folder.hpp"

namespace sekisho {
namespace {

void lay_out(const test::TemporaryFolder& sizes, const std::string& size, std::string_view free,
             std::string_view reserved) {
  std::filesystem::create_directory(sizes.path() / size);
  sizes.write(size + "/free_hugepages", free);
  sizes.write(size + "/resv_hugepages", reserved);
}

TEST(Hugepages, WhatSomebodyHasReservedIsNotFree) {
  const test::TemporaryFolder sizes;
  lay_out(sizes, "hugepages-2048kB", "100\n", "60\n");
  lay_out(sizes, "hugepages-1048576kB", "1\n", "0\n");
  EXPECT_EQ(free_hugepage_bytes(sizes.path()), (40UL << 21) + (1UL << 30));
}

TEST(Hugepages, AKernelWithoutThemHasNone) {
  const test::TemporaryFolder none;
  EXPECT_EQ(free_hugepage_bytes(none.path()), 0U);
  EXPECT_EQ(free_hugepage_bytes(none.path() / "none"), 0U);
}

}  // namespace
}  // namespace sekisho
