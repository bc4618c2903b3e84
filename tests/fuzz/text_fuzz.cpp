// SPDX-License-Identifier: BSD-3-Clause
// Whatever bytes a route file holds: a table whose every route is well-formed, or a refusal that names a
// line.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "common/base/file.hpp"
#include "control/formats/compression.hpp"
#include "control/formats/text.hpp"

namespace {

void check(bool holds) {
  if (!holds)
    std::abort();
}

void parse(std::string_view text) {
  const auto result = sekisho::formats::parse_text(text, "fuzz.txt");
  if (!result) {
    check(result.error().line != 0 && !result.error().reason.empty());
    return;
  }
  unsigned line = 0;
  for (const auto& route : result->routes) {
    check(route.line > line && route.next_hop < result->next_hops.size());
    check(route.prefix.length <= 32 && (route.prefix.address & ~route.prefix.mask()) == 0);
    line = route.line;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes{reinterpret_cast<const char*>(data), size};
  parse(bytes);
  if (sekisho::formats::is_gzip(bytes)) {
    constexpr std::size_t limit = 1 << 20;
    if (const auto text = sekisho::formats::inflate(bytes, "fuzz.gz", limit)) {
      check(text->size() <= limit);
      parse(*text);
    }
  }
  return 0;
}
