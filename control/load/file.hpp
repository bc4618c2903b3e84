// A file's content as one string, bounded: what is read here comes from outside. A thread's reads can be watched: watch.hpp.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "control/load/error.hpp"

namespace sekisho::load {

// A full Internet table as text has about 15 MB.
inline constexpr std::size_t max_bytes = std::size_t{1} << 30;

// Told now and then, on the caller's thread, how far a load is: what is being done ("decompressing"), and which share of it is
// done, 0 to 1.
using Progress = std::function<void(std::string_view doing, double share)>;

// A regular file: a FIFO, a device, a socket or a folder is refused by that name, and nobody is waited for. A file that is
// written meanwhile is read again, and refused where that does not end; one that is replaced by another (rename(2)) is whole.
[[nodiscard]] auto read_file(const std::filesystem::path& file, std::size_t limit = max_bytes,
                             const Progress& progress = {}) -> tl::expected<std::string, Error>;

[[nodiscard]] bool is_gzip(std::string_view bytes) noexcept;
// All members of a gzip file (RFC 1952, 2.2: "A gzip file consists of a series of 'members'").
[[nodiscard]] auto inflate(std::string_view bytes, const std::filesystem::path& file,
                           std::size_t limit = max_bytes, const Progress& progress = {})
    -> tl::expected<std::string, Error>;

[[nodiscard]] bool is_bzip2(std::string_view bytes) noexcept;
// All streams of a bzip2 file, as bzip2(1) reads what `cat` or pbzip2 put together.
[[nodiscard]] auto bunzip2(std::string_view bytes, const std::filesystem::path& file,
                           std::size_t limit = max_bytes, const Progress& progress = {})
    -> tl::expected<std::string, Error>;

// Reads, and decompresses what is compressed, known by its content. The limit holds for both.
[[nodiscard]] auto read_content(const std::filesystem::path& file, std::size_t limit = max_bytes,
                                const Progress& progress = {}) -> tl::expected<std::string, Error>;

}  // namespace sekisho::load
