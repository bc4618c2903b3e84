// SPDX-License-Identifier: BSD-3-Clause
// The files of a policy as they were when it was read, copied before it is known whether the policy will run.
//
// A copy made once the policy runs would come too late: the files may be others by then. So the thread that has read them copies them, looks
// whether they are still what was read, and whoever runs the policy keeps the copy (store.hpp). One that nobody keeps is removed.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>
#include <vector>

#include "common/base/stamp.hpp"
#include "control/history/entry.hpp"

namespace sekisho::history {

class Copy {
 public:
  // Copies the files, which were stamped before they were read, into a new folder of `directory`, with an entry of this cause. A file
  // with the bytes that the entry at `newest` has shares its place on the disk. Waits for the files, and for the disk, under the eyes of
  // this thread's watch. The error is a sentence.
  [[nodiscard]] static auto take(const std::filesystem::path& directory,
                                 const std::vector<base::Stamp>& files, const std::filesystem::path& newest,
                                 std::string cause) -> tl::expected<std::shared_ptr<Copy>, std::string>;

  Copy(const Copy&) = delete;
  Copy& operator=(const Copy&) = delete;
  ~Copy();

  [[nodiscard]] const Entry& entry() const noexcept {
    return entry_;
  }  // without its number, until it is kept
  // The entry's root that has the same bytes in each of these files; empty: the newest had not.
  [[nodiscard]] const auto& same_as() const noexcept { return same_as_; }
  // Becomes the folder `place`, of the entry with this number.
  [[nodiscard]] auto keep(const std::filesystem::path& place, std::uint64_t number)
      -> tl::expected<void, std::string>;
  // It is this entry again, and need not be kept.
  void be(std::uint64_t number) { entry_.number = number; }

 private:
  explicit Copy(std::filesystem::path folder) : folder_(std::move(folder)) {}
  // True: it is as the newest has it.
  [[nodiscard]] auto add(const base::Stamp& file, const std::filesystem::path& newest)
      -> tl::expected<bool, std::string>;

  std::filesystem::path folder_;  // empty: it has moved
  Entry entry_;
  std::filesystem::path same_as_;
};

inline constexpr std::string_view unfinished = "new.";  // begins the name of a folder that nobody has kept
inline constexpr std::string_view entry_name = "entry.json";  // in the folder
// Of an entry's folder: what beneath() begins with.
[[nodiscard]] auto root_of(const std::filesystem::path& folder) -> std::filesystem::path;

}  // namespace sekisho::history
