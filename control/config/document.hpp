// SPDX-License-Identifier: BSD-3-Clause
// The files of a configuration as one TOML table, with lines that are counted through (config.hpp).
#pragma once

#include <toml++/toml.h>
#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "common/base/error.hpp"
#include "control/config/config.hpp"
#include "control/config/section.hpp"

namespace sekisho::config {

class Document {
 public:
  // Of the configuration that includes the others.
  explicit Document(std::filesystem::path file) { files_.file = std::move(file); }

  // The configuration itself first, then what it includes: 16 MiB and 1,000,000 lines in all. After an error it must not be used
  // any more.
  [[nodiscard]] auto add(std::string_view text, base::Stamp of) -> tl::expected<void, base::Error>;
  // Also the configuration itself, and by whatever name.
  [[nodiscard]] bool has(const std::filesystem::path& file) const;

  [[nodiscard]] const toml::table& root() const noexcept { return root_; }
  // What the configuration itself includes; only the strings among it.
  [[nodiscard]] auto include() const -> std::vector<Located<std::string>>;
  // Nothing but its files.
  [[nodiscard]] const Config& files() const noexcept { return files_; }
  [[nodiscard]] auto at(unsigned line, std::string reason) const -> base::Error {
    return files_.at(line, std::move(reason));
  }

 private:
  [[nodiscard]] auto merge(toml::table& into, toml::table& from, std::string_view within)
      -> tl::expected<void, base::Error>;

  Config files_;
  toml::table root_;
  unsigned lines_ = 0;     // of all files
  std::size_t bytes_ = 0;  // of all files
  std::vector<std::filesystem::path> places_;
};

}  // namespace sekisho::config
