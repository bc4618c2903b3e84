// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/hugepages.hpp"

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <system_error>

namespace sekisho {
namespace {

std::size_t read_number(const std::filesystem::path& file) {
  std::size_t number = 0;
  std::ifstream{file} >> number;
  return number;
}

}  // namespace

std::size_t free_hugepage_bytes(const std::filesystem::path& sizes) {
  std::size_t bytes = 0;
  std::error_code error;
  for (const auto& size : std::filesystem::directory_iterator{sizes, error}) {
    std::size_t kilobytes = 0;
    if (std::sscanf(size.path().filename().c_str(), "hugepages-%zukB", &kilobytes) != 1) {
      continue;
    }
    const auto free = read_number(size.path() / "free_hugepages");
    const auto reserved = read_number(size.path() / "resv_hugepages");
    bytes += (free - std::min(reserved, free)) * kilobytes * 1024;
  }
  return bytes;
}

}  // namespace sekisho
