// SPDX-License-Identifier: BSD-3-Clause
#include "common/base/stamp.hpp"

#include <sys/stat.h>

#include "common/base/watch.hpp"

namespace sekisho::base {

Stamp stamp(const std::filesystem::path& file) {
  Stamp result{.file = file, .size = std::nullopt};
  struct stat status {};
  const Waiting waiting{file};
  if (::stat(file.c_str(), &status) == 0) {
    constexpr std::int64_t second = 1'000'000'000;
    result.size = static_cast<std::uint64_t>(status.st_size);
    result.written_ns = status.st_mtim.tv_sec * second + status.st_mtim.tv_nsec;
  }
  return result;
}

Since since(const Stamp& before, const Stamp& now) noexcept {
  if (!now.size) {
    return before.size ? Since::missing : Since::unchanged;
  }
  return now.size == before.size && now.written_ns == before.written_ns ? Since::unchanged : Since::changed;
}

std::string_view to_string(Since since) noexcept {
  switch (since) {
    case Since::unchanged:
      return "unchanged";
    case Since::changed:
      return "changed";
    case Since::missing:
      return "missing";
  }
  return "";
}

}  // namespace sekisho::base
