// SPDX-License-Identifier: BSD-3-Clause
// A file that is written whole or not at all: who reads it finds what was there before or what is new, and never a part of it.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

namespace sekisho::base {

struct Written {
  mode_t mode = 0600;
  bool belongs_to_folder = false;  // where root writes it: to the folder's user and group
  bool waits_for_disk = false;     // so that it is there after a power cut
  bool is_as_before =
      false;  // mode, user and group of the file that it replaces, if there is one; who may not give it those writes nothing
};

// In a folder that another user may write to, too: nothing that lies there is opened or followed, and a symbolic link with the file's name
// is replaced. The error is a sentence.
[[nodiscard]] auto write_whole(const std::filesystem::path& file, std::string_view text,
                               const Written& how = {}) -> tl::expected<void, std::string>;

// Waits for the disk; one that is not there is removed already. The error is a sentence.
[[nodiscard]] auto remove_whole(const std::filesystem::path& file) -> tl::expected<void, std::string>;

// All of the text into an open file; false: errno says why not.
[[nodiscard]] bool write_all(int file, std::string_view text) noexcept;

}  // namespace sekisho::base
