// SPDX-License-Identifier: BSD-3-Clause
// A whole configuration of which a test changes one thing: what reading it says then.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "common/base/file.hpp"
#include "control/config/config.hpp"

namespace sekisho::config {

inline const std::filesystem::path fixture = std::filesystem::path{SEKISHO_FIXTURES} / "config/whole.toml";
inline const std::filesystem::path azure_fixture =
    std::filesystem::path{SEKISHO_FIXTURES} / "config/azure.toml";

constexpr std::uint32_t ip(unsigned a, unsigned b, unsigned c, unsigned d) {
  return a << 24 | b << 16 | c << 8 | d;
}

struct Edit {
  std::string from;   // in the whole configuration
  std::string to;     // what stands there instead
  std::string error;  // "LINE: reason", the beginning of it; empty: accepted
};

class EditedConfig : public testing::Test {
 protected:
  void expect(const std::vector<Edit>& edits, const std::filesystem::path& file = fixture) {
    const auto whole = base::read_file(file);
    ASSERT_TRUE(whole);
    for (const auto& edit : edits) {
      auto text = *whole;
      const auto at = text.find(edit.from);
      ASSERT_NE(at, std::string::npos) << edit.from;
      text.replace(at, edit.from.size(), edit.to);
      const auto config = parse(text, "sekisho.toml");
      if (edit.error.empty()) {
        EXPECT_TRUE(config) << edit.to << ": " << config.error().to_string();
        continue;
      }
      ASSERT_FALSE(config) << edit.to;
      const auto expected = "sekisho.toml:" + edit.error;
      EXPECT_EQ(config.error().to_string().substr(0, expected.size()), expected)
          << config.error().to_string();
    }
  }
};

}  // namespace sekisho::config
