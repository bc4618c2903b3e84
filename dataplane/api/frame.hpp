// A frame is a 4-byte big-endian length and one message of that length.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "dataplane.pb.h"

namespace sekisho::api {

inline constexpr std::size_t max_frame = std::size_t{16} << 20;  // of the message
inline constexpr std::size_t frame_header = 4;

// Bytes as they come from a socket in, messages out.
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

// A reply that would be longer than a frame becomes an error with the same id.
[[nodiscard]] std::string to_frame(const Message& message);

}  // namespace sekisho::api
