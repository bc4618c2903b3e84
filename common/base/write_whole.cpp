// SPDX-License-Identifier: BSD-3-Clause
#include "common/base/write_whole.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <system_error>

#include "common/base/fd.hpp"

namespace sekisho::base {
namespace {

// A file's name is the folder's to keep.
bool reach_disk(const std::filesystem::path& folder) {
  const Fd opened{::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  return opened.valid() && ::fsync(opened.get()) == 0;
}

bool give_to_owner_of(const std::filesystem::path& folder, int file) {
  struct stat found {};
  return ::geteuid() != 0 ||
         (::stat(folder.c_str(), &found) == 0 && ::fchown(file, found.st_uid, found.st_gid) == 0);
}

// False: errno says why not. Without a file that is replaced it is as it is.
bool make_as(const std::filesystem::path& replaced, int file) {
  struct stat found {};
  if (::stat(replaced.c_str(), &found) != 0) {
    return errno == ENOENT;
  }
  return (::geteuid() != 0 || ::fchown(file, found.st_uid, found.st_gid) == 0) &&
         ::fchmod(file, found.st_mode & 07777U) == 0;
}

}  // namespace

bool write_all(int file, std::string_view text) noexcept {
  while (!text.empty()) {
    const auto count = ::write(file, text.data(), text.size());
    if (count >= 0)
      text.remove_prefix(static_cast<std::size_t>(count));
    else if (errno != EINTR)
      return false;
  }
  return true;
}

auto write_whole(const std::filesystem::path& file, std::string_view text, const Written& how)
    -> tl::expected<void, std::string> {
  const auto folder = file.parent_path().empty() ? std::filesystem::path{"."} : file.parent_path();
  // mkstemp makes it or fails: a link that somebody has put there is not followed.
  auto beside = (folder / ("." + file.filename().native() + ".XXXXXX")).native();
  const Fd written{::mkostemp(beside.data(), O_CLOEXEC)};
  const bool is_made = written.valid();
  if (is_made && write_all(written.get(), text) && ::fchmod(written.get(), how.mode) == 0 &&
      (!how.belongs_to_folder || give_to_owner_of(folder, written.get())) &&
      (!how.is_as_before || make_as(file, written.get())) &&
      (!how.waits_for_disk || ::fsync(written.get()) == 0) && ::rename(beside.c_str(), file.c_str()) == 0 &&
      (!how.waits_for_disk || reach_disk(folder)))
    return {};
  const int why = errno;
  if (is_made)
    ::unlink(beside.c_str());
  return tl::unexpected(
      fmt::format("{} cannot be written: {}", file.native(), std::generic_category().message(why)));
}

auto remove_whole(const std::filesystem::path& file) -> tl::expected<void, std::string> {
  if (::unlink(file.c_str()) == 0 ? reach_disk(file.parent_path()) : errno == ENOENT || errno == ENOTDIR)
    return {};
  return tl::unexpected(
      fmt::format("{} cannot be removed: {}", file.native(), std::generic_category().message(errno)));
}

}  // namespace sekisho::base
