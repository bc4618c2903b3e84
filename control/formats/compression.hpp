// SPDX-License-Identifier: BSD-3-Clause
// Decompression of what was read, known by its content and bounded: what is read here comes from outside.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "common/base/error.hpp"
#include "common/base/file.hpp"

namespace sekisho::formats {

[[nodiscard]] bool is_gzip(std::string_view bytes) noexcept;
// All members of a gzip file (RFC 1952, 2.2: "A gzip file consists of a series of 'members'").
[[nodiscard]] auto inflate(std::string_view bytes, const std::filesystem::path& file,
                           std::size_t limit = base::max_bytes, const base::Progress& progress = {})
    -> tl::expected<std::string, base::Error>;

[[nodiscard]] bool is_bzip2(std::string_view bytes) noexcept;
// All streams of a bzip2 file, as bzip2(1) reads what `cat` or pbzip2 put together.
[[nodiscard]] auto bunzip2(std::string_view bytes, const std::filesystem::path& file,
                           std::size_t limit = base::max_bytes, const base::Progress& progress = {})
    -> tl::expected<std::string, base::Error>;

[[nodiscard]] bool is_xz(std::string_view bytes) noexcept;
// All streams of an xz file, as xz(1) reads them.
[[nodiscard]] auto unxz(std::string_view bytes, const std::filesystem::path& file,
                        std::size_t limit = base::max_bytes, const base::Progress& progress = {})
    -> tl::expected<std::string, base::Error>;

[[nodiscard]] bool is_zstd(std::string_view bytes) noexcept;
// All frames of a Zstandard file (RFC 8878, 3).
[[nodiscard]] auto unzstd(std::string_view bytes, const std::filesystem::path& file,
                          std::size_t limit = base::max_bytes, const base::Progress& progress = {})
    -> tl::expected<std::string, base::Error>;

// Reads, decompresses what is compressed, known by its content, and makes UTF-8 of text with a byte order mark. The limit
// holds for what is read and for what it holds. A zip archive may hold several files, and is refused by its name.
[[nodiscard]] auto read_content(const std::filesystem::path& file, std::size_t limit = base::max_bytes,
                                const base::Progress& progress = {})
    -> tl::expected<std::string, base::Error>;

}  // namespace sekisho::formats
