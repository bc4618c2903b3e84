// SPDX-License-Identifier: BSD-3-Clause
// A folder of a test's own, with files in it; gone afterwards.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <string_view>

namespace sekisho::test {

class TemporaryFolder {
 public:
  TemporaryFolder() {
    auto name = (std::filesystem::temp_directory_path() / "sekisho-test-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr)
      throw std::runtime_error("mkdtemp failed");
    path_ = name;
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  // NOLINTNEXTLINE(modernize-use-nodiscard): often only the file matters
  auto write(std::string_view name, std::string_view content) const -> std::filesystem::path {
    const auto file = path_ / name;
    std::ofstream{file, std::ios::binary}.write(content.data(), static_cast<std::streamsize>(content.size()));
    return file;
  }
  // Without the folder's name.
  [[nodiscard]] auto shorten(std::string text) const -> std::string {
    const auto name = path_.string() + "/";
    for (auto at = text.find(name); at != std::string::npos; at = text.find(name)) {
      text.erase(at, name.size());
    }
    return text;
  }

 private:
  std::filesystem::path path_;
};

}  // namespace sekisho::test
