// SPDX-License-Identifier: BSD-3-Clause
#include "control/history/copy.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <system_error>
#include <utility>

#include "common/base/file.hpp"
#include "common/base/unix_time.hpp"
#include "common/base/watch.hpp"
#include "common/base/write_whole.hpp"

namespace sekisho::history {
namespace {

namespace fs = std::filesystem;

auto failed(const fs::path& file, std::string_view why) {
  return tl::unexpected(fmt::format("{} cannot be copied: {}", file.native(), why));
}

// A history that fills the disk would stop what else writes there.
bool leaves_room(const fs::path& folder, std::size_t bytes) {
  std::error_code error;
  const auto space = fs::space(folder, error);
  return !error && bytes <= space.available / 2;
}

auto new_folder(const fs::path& directory) -> tl::expected<fs::path, std::string> {
  const base::Waiting waiting{directory};
  std::error_code error;
  fs::create_directories(directory, error);
  // mkdtemp's: a thread whose reading was given up may still be copying beside this one.
  auto name = (directory / fmt::format("{}XXXXXX", unfinished)).native();
  if (::mkdtemp(name.data()) == nullptr) {
    return tl::unexpected(fmt::format("{} takes no folder: {}", directory.native(), std::strerror(errno)));
  }
  return name;
}

bool has(const fs::path& file, std::string_view bytes) {
  std::error_code error;
  if (file.empty() || fs::file_size(file, error) != bytes.size() || error) {
    return false;
  }
  const auto there = base::read_file(file);
  return there && *there == bytes;
}

}  // namespace

auto root_of(const fs::path& folder) -> fs::path {
  return folder / "root";
}

auto Copy::take(const fs::path& directory, const std::vector<base::Stamp>& files, const fs::path& newest,
                std::string cause) -> tl::expected<std::shared_ptr<Copy>, std::string> {
  auto folder = new_folder(directory);
  if (!folder) {
    return tl::unexpected(std::move(folder.error()));
  }
  std::shared_ptr<Copy> copy{new Copy{std::move(*folder)}};
  copy->entry_ = {.number = 0, .ran_unix_ms = base::now_unix_ms(), .cause = std::move(cause), .files = {}};
  copy->same_as_ = newest;
  for (const auto& file : files) {
    const auto same = copy->add(file, newest);
    if (!same) {
      return tl::unexpected(same.error());
    }
    if (!*same) {
      copy->same_as_.clear();
    }
  }
  const base::Waiting waiting{copy->folder_};
  return base::write_whole(copy->folder_ / entry_name, to_text(copy->entry_), {.waits_for_disk = true})
      .map([&] { return copy; });
}

namespace {

// By who could not read it a moment ago either: no policy was made of it.
bool cannot_be_read(const fs::path& file) {
  std::error_code error;
  return (::access(file.c_str(), R_OK) != 0 && errno == EACCES) || fs::is_directory(file, error);
}

}  // namespace

// True: it is as the newest has it.
auto Copy::add(const base::Stamp& file, const fs::path& newest) -> tl::expected<bool, std::string> {
  std::error_code error;
  auto place = fs::absolute(file.file, error).lexically_normal();
  if (std::ranges::find(entry_.files, place) != entry_.files.end()) {
    return true;
  }
  // One that checks alone read may be missing, or not be ours to read, and then is missing in the copy.
  if ((!file.size && !base::stamp(file.file).size) || cannot_be_read(place)) {
    return newest.empty() || !fs::exists(beneath(newest, place), error);
  }
  const auto bytes = base::read_file(place);
  if (!bytes) {
    return tl::unexpected(bytes.error().to_string());
  }
  if (base::since(file, base::stamp(file.file)) != base::Since::unchanged) {
    return failed(place, "it has changed since it was read");
  }
  const auto to = beneath(root_of(folder_), place);
  const auto old = newest.empty() ? fs::path{} : beneath(newest, place);
  fs::create_directories(to.parent_path(), error);
  const bool same = has(old, *bytes);
  const base::Waiting waiting{folder_};
  if (!same || (fs::create_hard_link(old, to, error), error)) {
    if (!leaves_room(folder_, bytes->size())) {
      return failed(place,
                    fmt::format("{} has not twice its {} bytes free", folder_.native(), bytes->size()));
    }
    if (auto written = base::write_whole(to, *bytes, {.waits_for_disk = true}); !written) {
      return failed(place, written.error());
    }
  }
  entry_.files.push_back(std::move(place));
  return same;
}

auto Copy::keep(const fs::path& place, std::uint64_t number) -> tl::expected<void, std::string> {
  std::error_code error;
  fs::rename(folder_, place, error);
  if (error) {
    return tl::unexpected(fmt::format("{}: {}", place.native(), error.message()));
  }
  folder_.clear();
  entry_.number = number;
  return {};
}

Copy::~Copy() {
  if (!folder_.empty()) {
    std::error_code ignored;  // what is left over, the next start removes
    fs::remove_all(folder_, ignored);
  }
}

}  // namespace sekisho::history
