// SPDX-License-Identifier: BSD-3-Clause
#include "control/config/include.hpp"

#include <dirent.h>
#include <fmt/format.h>
#include <glob.h>
#include <sys/stat.h>

#include <algorithm>
#include <boost/locale/utf.hpp>
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

// ".." is taken away by name, as the history does it; none leads out of `root`.
auto beneath(const std::filesystem::path& root, const std::filesystem::path& folder,
             const std::filesystem::path& pattern) -> std::filesystem::path {
  if (root.empty())
    return (folder / pattern).lexically_normal();
  const auto inside = ("/" / folder.lexically_relative(root) / pattern).lexically_normal();
  return root / inside.relative_path();
}

// The first that this thread could not look at.
struct Failure {
  std::string name;
  int error = 0;
};
thread_local Failure failure;

// What is not there is no match; of what cannot be looked at, nobody knows.
int note(const char* name, int error) noexcept {
  if (error == ENOENT || error == ENOTDIR)
    return 0;
  if (failure.error == 0)
    failure = {name, error};
  return 1;
}

// glob(3) tells its caller of a folder that cannot be opened, and takes a name that cannot be looked at for one that is not there.
auto noting_glob() -> glob_t {
  glob_t result{};
  result.gl_opendir = [](const char* name) -> void* { return ::opendir(name); };
  result.gl_readdir = [](void* folder) { return ::readdir(static_cast<DIR*>(folder)); };
  result.gl_closedir = [](void* folder) { ::closedir(static_cast<DIR*>(folder)); };
  result.gl_stat = [](const char* name, struct stat* found) {
    const int failed = ::stat(name, found);
    if (failed != 0)
      note(name, errno);
    return failed;
  };
  result.gl_lstat = [](const char* name, struct stat* found) {
    const int failed = ::lstat(name, found);
    if (failed != 0)
      note(name, errno);
    return failed;
  };
  return result;
}

bool is_utf8(const std::string& text) {
  namespace utf = boost::locale::utf;
  for (auto at = text.begin(); at != text.end();)
    if (!utf::is_valid_codepoint(utf::utf_traits<char>::decode(at, text.end())))
      return false;
  return true;
}

}  // namespace

auto place_of(const std::filesystem::path& file) -> std::filesystem::path {
  std::error_code error;
  const auto absolute = std::filesystem::absolute(file, error);
  return (error ? file : absolute).lexically_normal();
}

auto find_included(const std::filesystem::path& configuration, const std::string& pattern,
                   const std::filesystem::path& root)
    -> tl::expected<std::vector<std::filesystem::path>, std::string> {
  if (pattern.empty() || pattern.find('\0') != std::string::npos)
    return tl::unexpected(std::string{"\"include\" names no file"});
  const auto folder = configuration.parent_path();
  auto file = beneath(root, folder, pattern);
  const base::Waiting waiting{file};
  if (::glob_pattern_p(pattern.c_str(), 1) == 0) {
    std::error_code error;
    if (!std::filesystem::exists(file, error))
      return tl::unexpected(
          fmt::format("the included file {} {}", file.native(),
                      error ? "cannot be looked at: " + error.message() : "does not exist"));
    return std::vector{std::move(file)};
  }
  const auto whole = beneath(escaped(root.native()), escaped(folder.native()), pattern);
  auto found = noting_glob();
  const std::unique_ptr<glob_t, decltype(&::globfree)> owner{&found, &::globfree};
  failure = {};
  const int refused = ::glob(whole.c_str(), GLOB_NOSORT | GLOB_ALTDIRFUNC, note, &found);
  if (failure.error != 0)
    return tl::unexpected(fmt::format("what {} matches cannot be told: {}: {}", base::in_quotes(pattern),
                                      failure.name, std::strerror(failure.error)));
  if (refused != 0 && refused != GLOB_NOMATCH)
    return tl::unexpected(
        fmt::format("what {} matches cannot be told: there is no memory", base::in_quotes(pattern)));
  std::vector<std::filesystem::path> files;
  for (std::size_t i = 0; i != found.gl_pathc; ++i) {
    files.push_back(std::filesystem::path{found.gl_pathv[i]}.lexically_normal());
    if (!is_utf8(files.back().native()))
      return tl::unexpected(fmt::format("{} matches {}, a name that is not UTF-8", base::in_quotes(pattern),
                                        base::in_quotes(files.back().filename().native())));
  }
  std::ranges::sort(files, {}, [](const auto& each) -> const std::string& { return each.native(); });
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
