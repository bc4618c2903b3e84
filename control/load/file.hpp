// A file's content as one string, bounded: what is read here comes from outside.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "control/load/error.hpp"

namespace sekisho::load {

// A full Internet table as text has about 15 MB.
inline constexpr std::size_t max_bytes = std::size_t{1} << 30;

[[nodiscard]] auto read_file(const std::filesystem::path& file, std::size_t limit = max_bytes)
    -> tl::expected<std::string, Error>;

[[nodiscard]] bool is_gzip(std::string_view bytes) noexcept;
// All members of a gzip file (RFC 1952, 2.2: "A gzip file consists of a series of 'members'").
[[nodiscard]] auto inflate(std::string_view bytes, const std::filesystem::path& file,
                           std::size_t limit = max_bytes) -> tl::expected<std::string, Error>;

}  // namespace sekisho::load
