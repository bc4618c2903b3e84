// SPDX-License-Identifier: BSD-3-Clause
// One command, or several as one transaction, given to nftables.
#pragma once

#include <cstdint>
#include <string>

namespace sekisho::guard::nft {

struct Output {
  bool done = false;
  std::string text;
  std::string error;  // nft's first line, without the position
};

enum class Format : std::uint8_t { text, json };

[[nodiscard]] Output run(const std::string& command, Format format = Format::text);

}  // namespace sekisho::guard::nft
