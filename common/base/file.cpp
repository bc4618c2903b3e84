// SPDX-License-Identifier: BSD-3-Clause
#include "common/base/file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <optional>
#include <thread>
#include <utility>

#include "common/base/bounded_text.hpp"
#include "common/base/fd.hpp"
#include "common/base/watch.hpp"

namespace sekisho::base {
namespace {

// What is read at a time: progress is told in between.
constexpr std::size_t chunk = std::size_t{1} << 22;

auto system_error(const std::filesystem::path& file, std::string_view what, int code)
    -> tl::unexpected<Error> {
  return tl::unexpected(Error{file, 0, fmt::format("{}: {}", what, std::strerror(code))});
}

auto too_large(const std::filesystem::path& file, std::size_t limit) -> tl::unexpected<Error> {
  return tl::unexpected(Error{file, 0, fmt::format("holds more than {} bytes", limit)});
}

// What a file is that is none; nullptr: a regular one.
const char* other_kind(mode_t mode) {
  switch (mode & S_IFMT) {
    case S_IFREG:
      return nullptr;
    case S_IFDIR:
      return "is a directory";
    case S_IFIFO:
      return "is a pipe (FIFO), and only a regular file is read";
    case S_IFSOCK:
      return "is a socket, and only a regular file is read";
    default:
      return "is a device, and only a regular file is read";
  }
}

auto refuse_to_open(const std::filesystem::path& file, int code) -> tl::unexpected<Error> {
  struct stat status {};
  const auto* other =
      code == ENXIO && ::stat(file.c_str(), &status) == 0 ? other_kind(status.st_mode) : nullptr;
  return other != nullptr ? tl::unexpected(Error{file, 0, other})
                          : system_error(file, "cannot be opened", code);
}

// Two states of one size within a tick of the kernel's clock look alike.
bool is_as_before(const struct stat& before, const struct stat& now) {
  return before.st_size == now.st_size && before.st_mtim.tv_sec == now.st_mtim.tv_sec &&
         before.st_mtim.tv_nsec == now.st_mtim.tv_nsec;
}

// Nothing: it changed meanwhile.
auto read_once(int descriptor, const std::filesystem::path& file, std::size_t limit, const Progress& progress)
    -> tl::expected<std::optional<std::string>, Error> {
  struct stat before {};
  struct stat now {};
  if (::fstat(descriptor, &before) != 0)
    return system_error(file, "cannot be read", errno);
  if (const auto* other = other_kind(before.st_mode))
    return tl::unexpected(Error{file, 0, other});
  const auto expected = static_cast<std::size_t>(before.st_size);
  if (expected > limit)
    return too_large(file, limit);

  BoundedText bytes{expected, limit};
  std::size_t size = 0;
  while (!bytes.exceeded()) {
    const Waiting waiting{file};
    const auto room = bytes.room();
    const ssize_t got =
        ::pread(descriptor, room.data(), std::min(room.size(), chunk), static_cast<off_t>(size));
    if (got < 0 && errno == EINTR)
      continue;
    if (got < 0)
      return system_error(file, "cannot be read", errno);
    if (got > 0) {
      bytes.filled(static_cast<std::size_t>(got));
      size += static_cast<std::size_t>(got);
      tell(progress, "reading", std::min(size, expected), expected);
      if (size > expected && expected != 0)  // somebody appends, perhaps faster than this reads
        return std::nullopt;
      continue;
    }
    if (::fstat(descriptor, &now) != 0)
      return system_error(file, "cannot be read", errno);
    // The kernel's own files (/proc) have no size.
    const bool is_whole = is_as_before(before, now) && (size == expected || expected == 0);
    return is_whole ? std::optional{std::move(bytes).take()} : std::nullopt;
  }
  return too_large(file, limit);
}

}  // namespace

auto read_file(const std::filesystem::path& file, std::size_t limit, const Progress& progress)
    -> tl::expected<std::string, Error> {
  const Waiting waiting{file};
  // A FIFO without a writer and a modem without a carrier would be waited for as they are opened.
  const Fd descriptor{::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)};
  if (descriptor.get() < 0)
    return refuse_to_open(file, errno);
  constexpr int attempts = 5;
  for (int attempt = 0; attempt < attempts; ++attempt) {
    auto bytes = read_once(descriptor.get(), file, limit, progress);
    if (!bytes)
      return tl::unexpected(std::move(bytes).error());
    if (*bytes)
      return *std::move(*bytes);
    std::this_thread::sleep_for(std::chrono::milliseconds{10 << attempt});
  }
  return tl::unexpected(
      Error{file, 0, fmt::format("is being written: it changed each of the {} times it was read", attempts)});
}

}  // namespace sekisho::base
