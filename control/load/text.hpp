// The text route file: `PREFIX [NEXT-HOP]` a line, blanks or tabs between, `#` comments, blank lines. A next
// hop is a name (of the configuration), "None", or an IPv4 address; "-" or nothing means the default that the
// caller gives. A file that is gzip-compressed is read as such (recognised by content).
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "control/load/error.hpp"
#include "dataplane/fib/prefix.hpp"

namespace sekisho::load {

struct TextRoute {
  fib::Prefix prefix;
  std::uint32_t next_hop = 0;  // index into TextRoutes::next_hops
  unsigned line = 0;
};

struct TextRoutes {
  std::vector<std::string> next_hops;  // distinct, as written; "-" for lines that name none
  std::vector<TextRoute> routes;       // in the order of the file
};

[[nodiscard]] auto read_text(const std::filesystem::path& file) -> tl::expected<TextRoutes, Error>;
[[nodiscard]] auto parse_text(std::string_view text, const std::filesystem::path& file)
    -> tl::expected<TextRoutes, Error>;

}  // namespace sekisho::load
