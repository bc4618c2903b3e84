// SPDX-License-Identifier: BSD-3-Clause
// The files that a configuration names: each read once, however many zones name it, with its service tags unfolded.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <tl/expected.hpp>
#include <tuple>
#include <utility>
#include <vector>

#include "common/base/error.hpp"
#include "control/formats/route_file.hpp"
#include "control/formats/service_tags.hpp"
#include "control/policy/policy.hpp"

namespace sekisho::policy {

class Files {
 public:
  explicit Files(Oddities& oddities) : oddities_(oddities) {}

  [[nodiscard]] auto read_service_tags(const std::filesystem::path& file) -> std::optional<base::Error>;
  // An entry of this configuration. The reference lives as long as this.
  [[nodiscard]] auto read(const config::RouteSpec& spec, const config::Config& config)
      -> tl::expected<const formats::RouteFile*, base::Error>;
  // A tag's prefixes, as a file that holds nothing else, for an entry of the configuration.
  [[nodiscard]] auto unfold(const std::string& tag, const base::Error& place)
      -> tl::expected<formats::RouteFile, base::Error>;

  [[nodiscard]] auto take_loaded() && -> std::vector<LoadedFile> { return std::move(loaded_); }

 private:
  // Warnings are kept; a finding that something is missing is the error.
  [[nodiscard]] auto judge(const std::vector<base::Finding>& findings) -> std::optional<base::Error>;
  [[nodiscard]] auto resolve_tags(formats::RouteFile& file) -> tl::expected<void, base::Error>;

  Oddities& oddities_;
  std::optional<formats::ServiceTags> tags_;
  // As an entry of "routes" has it.
  using Key = std::tuple<std::filesystem::path, std::optional<std::uint32_t>, bool, std::string, std::string,
                         std::filesystem::path>;
  std::map<Key, formats::RouteFile> files_;
  std::vector<LoadedFile> loaded_;
};

}  // namespace sekisho::policy
