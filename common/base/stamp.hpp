// SPDX-License-Identifier: BSD-3-Clause
// What a file looked like before it was read, so that one can tell later whether it has been written since.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string_view>

namespace sekisho::base {

struct Stamp {
  std::filesystem::path file;
  std::optional<std::uint64_t> size;  // bytes; nothing: it was not there
  std::int64_t written_ns = 0;        // mtime, of the system's clock
};

// Taken before the file is read: what is written meanwhile counts as written since. May wait for the file's mount.
[[nodiscard]] Stamp stamp(const std::filesystem::path& file);

enum class Since : std::uint8_t { unchanged, changed, missing };
// `now`: another stamp of the same file.
[[nodiscard]] Since since(const Stamp& before, const Stamp& now) noexcept;
[[nodiscard]] std::string_view to_string(Since since) noexcept;

}  // namespace sekisho::base
