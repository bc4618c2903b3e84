// SPDX-License-Identifier: BSD-3-Clause
// The files of a policy as they were when it was read, copied before it is known whether the policy will run.
//
// A copy made once the policy runs would come too late: the files may be others by then. So the thread that has read them copies them, looks
// whether they are still what was read, and whoever runs the policy keeps the copy (store.hpp). One that nobody keeps is removed.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <tl/expected.hpp>
#include <utility>
#include <vector>

#include "common/base/stamp.hpp"

namespace sekisho::history {

class Copy {
 public:
  // Copies the files, which were stamped before they were read, into a new folder of `directory`. A file with the bytes that the entry at
  // `newest` has shares its place on the disk. Waits for the files, and for the disk. The error is a sentence.
  [[nodiscard]] static auto take(const std::filesystem::path& directory,
                                 const std::vector<base::Stamp>& files, const std::filesystem::path& newest)
      -> tl::expected<std::shared_ptr<Copy>, std::string>;

  Copy(const Copy&) = delete;
  Copy& operator=(const Copy&) = delete;
  ~Copy();

  // Where they were, absolute, in the order of `files`.
  [[nodiscard]] const auto& files() const noexcept { return files_; }
  // The entry's root that has the same bytes in each of these files; empty: the newest had not.
  [[nodiscard]] const auto& same_as() const noexcept { return same_as_; }
  // Becomes the folder `place`, of the entry with this number.
  [[nodiscard]] auto keep(const std::filesystem::path& place, std::uint64_t number)
      -> tl::expected<void, std::string>;
  [[nodiscard]] const auto& kept_as() const noexcept { return kept_as_; }

 private:
  explicit Copy(std::filesystem::path folder) : folder_(std::move(folder)) {}
  // True: it is as the newest has it.
  [[nodiscard]] auto add(const base::Stamp& file, const std::filesystem::path& newest)
      -> tl::expected<bool, std::string>;

  std::filesystem::path folder_;  // empty: it has moved
  std::vector<std::filesystem::path> files_;
  std::filesystem::path same_as_;
  std::optional<std::uint64_t> kept_as_;
};

// Of an entry's folder: what beneath() begins with.
[[nodiscard]] auto root_of(const std::filesystem::path& folder) -> std::filesystem::path;

}  // namespace sekisho::history
