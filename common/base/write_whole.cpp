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

// False: errno says why not. Without a file that is replaced it is what `how` says. The owner first: whom the mode lets read is not yet
// the owner otherwise, and a change of owner takes bits of the mode away.
bool make_as(const std::filesystem::path& replaced, int file, const Written& how) {
  struct stat found {};
  if (!how.is_as_before || ::stat(replaced.c_str(), &found) != 0) {
    return (!how.is_as_before || errno == ENOENT) && ::fchmod(file, how.mode) == 0;
  }
  struct stat made {};
  const bool is_theirs =
      ::fstat(file, &made) == 0 && made.st_uid == found.st_uid && made.st_gid == found.st_gid;
  return (is_theirs || ::fchown(file, found.st_uid, found.st_gid) == 0) &&
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
  // What is in it comes last: until then nobody can read what he may not.
  if (is_made && (!how.belongs_to_folder || give_to_owner_of(folder, written.get())) &&
      make_as(file, written.get(), how) && write_all(written.get(), text) &&
      (!how.waits_for_disk || ::fsync(written.get()) == 0) && ::rename(beside.c_str(), file.c_str()) == 0 &&
      (!how.waits_for_disk || reach_disk(folder)))
    return {};
  const int why = errno;
  if (is_made)
    ::unlink(beside.c_str());
  const bool is_anothers = why == EPERM && how.is_as_before;
  return tl::unexpected(fmt::format(
      "{} cannot be written: {}{}", file.native(), std::generic_category().message(why),
      is_anothers ? ": it belongs to another user or group, to whom only root can give it back" : ""));
}

auto remove_whole(const std::filesystem::path& file) -> tl::expected<void, std::string> {
  if (::unlink(file.c_str()) == 0 ? reach_disk(file.parent_path()) : errno == ENOENT || errno == ENOTDIR)
    return {};
  return tl::unexpected(
      fmt::format("{} cannot be removed: {}", file.native(), std::generic_category().message(errno)));
}

}  // namespace sekisho::base
