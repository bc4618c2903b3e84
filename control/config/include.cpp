// SPDX-License-Identifier: BSD-3-Clause
#include "control/config/include.hpp"

#include <fmt/format.h>
#include <glob.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <system_error>

#include "common/base/text.hpp"
#include "common/base/watch.hpp"

namespace sekisho::config {
namespace {

// A folder's name means itself, whatever characters it has.
auto escaped(const std::string& name) -> std::string {
  std::string result;
  for (const char c : name) {
    if (std::string_view{"*?[\\"}.find(c) != std::string_view::npos)
      result += '\\';
    result += c;
  }
  return result;
}

// A folder that is not there has no files; one that cannot be read may have some.
int stop_unless_missing(const char* /*folder*/, int error) {
  return error == ENOENT ? 0 : 1;
}

}  // namespace

auto find_included(const std::filesystem::path& configuration, const std::string& pattern,
                   const std::filesystem::path& root)
    -> tl::expected<std::vector<std::filesystem::path>, std::string> {
  if (pattern.empty() || pattern.find('\0') != std::string::npos)
    return tl::unexpected(std::string{"\"include\" names no file"});
  const bool is_absolute = pattern.starts_with('/');
  const auto folder = is_absolute ? root : configuration.parent_path();
  const base::Waiting waiting{configuration};
  if (::glob_pattern_p(pattern.c_str(), 1) == 0) {
    std::error_code error;
    const auto plain = std::filesystem::path{pattern};
    auto file = (folder.empty() ? plain : folder / plain.relative_path()).lexically_normal();
    if (!std::filesystem::exists(file, error))
      return tl::unexpected(
          fmt::format("the included file {} {}", file.native(),
                      error ? "cannot be looked at: " + error.message() : "does not exist"));
    return std::vector{std::move(file)};
  }
  const auto where = escaped(folder.native());
  const auto whole = where.empty() || is_absolute ? where + pattern : where + "/" + pattern;
  glob_t found{};
  const std::unique_ptr<glob_t, decltype(&::globfree)> owner{&found, &::globfree};
  const int refused = ::glob(whole.c_str(), GLOB_NOSORT, stop_unless_missing, &found);
  if (refused != 0 && refused != GLOB_NOMATCH)
    return tl::unexpected(
        fmt::format("what {} matches cannot be told: {}", base::in_quotes(pattern),
                    refused == GLOB_NOSPACE ? "there is no memory" : "a folder cannot be read"));
  std::vector<std::filesystem::path> files;
  for (std::size_t i = 0; i != found.gl_pathc; ++i)
    files.push_back(std::filesystem::path{found.gl_pathv[i]}.lexically_normal());
  std::ranges::sort(files, {}, [](const auto& file) -> const std::string& { return file.native(); });
  return files;
}

auto included_now(const std::filesystem::path& configuration, const std::vector<std::string>& patterns)
    -> std::vector<std::filesystem::path> {
  std::vector<std::filesystem::path> result;
  for (const auto& pattern : patterns)
    if (auto found = find_included(configuration, pattern, {}))
      result.insert(result.end(), found->begin(), found->end());
  return result;
}

}  // namespace sekisho::config
