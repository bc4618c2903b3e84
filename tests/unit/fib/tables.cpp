// SPDX-License-Identifier: BSD-3-Clause
#include "tests/unit/fib/tables.hpp"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <memory>
#include <random>
#include <set>
#include <stdexcept>
#include <string>

namespace sekisho::fib::testing {

std::vector<base::Prefix> generate_table(std::size_t size) {
  // Prefixes of each length from 8 to 32 among 100,000 of a tier-1 router's.
  constexpr std::array<double, 25> share{2,   1,    4,    10,   30,   60,    130,   210,   1400,
                                         880, 1500, 2700, 4600, 5100, 11500, 10400, 61370, 10,
                                         10,  10,   10,   20,   10,   3,     30};
  std::mt19937_64 random{24};
  std::discrete_distribution<unsigned> length_above_8(share.begin(), share.end());
  std::vector<base::Prefix> drawn;
  std::set<base::Prefix> table;
  while (table.size() < size) {
    auto address = static_cast<std::uint32_t>(random());
    if (!drawn.empty() && random() % 2 == 0) {
      const base::Prefix parent = drawn[random() % drawn.size()];
      address = parent.address | (address & ~parent.mask());
    }
    if (address >> 24 == 0 || address >> 24 == 127 || address >> 24 >= 224) {
      continue;
    }
    base::Prefix prefix{.address = address, .length = static_cast<std::uint8_t>(8 + length_above_8(random))};
    prefix.address &= prefix.mask();
    if (table.insert(prefix).second) {
      drawn.push_back(prefix);
    }
  }
  return {table.begin(), table.end()};
}

std::vector<base::Prefix> read_table(const std::filesystem::path& path) {
  const std::unique_ptr<gzFile_s, decltype(&gzclose)> file{gzopen(path.c_str(), "rb"), gzclose};
  if (!file) {
    throw std::runtime_error{path.string() + " cannot be opened"};
  }
  std::vector<base::Prefix> table;
  std::array<char, 256> buffer{};
  while (gzgets(file.get(), buffer.data(), buffer.size()) != nullptr) {
    const std::string_view line{buffer.data()};
    if (!line.starts_with('#')) {
      table.push_back(base::parse_prefix(line.substr(0, line.find_first_of("\t\n"))).value());
    }
  }
  return table;
}

std::optional<std::filesystem::path> find_data(const std::filesystem::path& name) {
  const char* const folder = std::getenv("SEKISHO_DATA");
  const auto path =
      (folder != nullptr ? std::filesystem::path{folder}
                         : std::filesystem::path{SEKISHO_SOURCE_DIR}.parent_path() / "shared/data") /
      name;
  if (!std::filesystem::exists(path)) {
    return std::nullopt;
  }
  return path;
}

}  // namespace sekisho::fib::testing
