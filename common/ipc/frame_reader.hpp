// SPDX-License-Identifier: BSD-3-Clause
// Bytes as they come from a socket in, messages out.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "common/ipc/frame.hpp"

namespace sekisho::ipc {

class FrameReader {
 public:
  // Room for more bytes; commit() says how many came. Ends what next() returned.
  [[nodiscard]] std::span<char> prepare();
  void commit(std::size_t count) noexcept { end_ += count; }

  // Empty: more bytes are needed. An error cannot be recovered from.
  [[nodiscard]] auto next() -> tl::expected<std::optional<std::string_view>, std::string>;

 private:
  std::vector<char> buffer_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace sekisho::ipc
