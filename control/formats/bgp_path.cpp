// SPDX-License-Identifier: BSD-3-Clause
#include "control/formats/bgp_path.hpp"

#include <fmt/format.h>

#include <optional>

namespace sekisho::formats {
namespace {

// Type codes: RFC 4271, 5.1; RFC 4760, 3.
enum class Type : std::uint8_t {
  origin = 1,
  as_path = 2,
  next_hop = 3,
  multi_exit_disc = 4,
  local_pref = 5,
  mp_reach_nlri = 14,
};

// RFC 4271, 4.3 b: segments of <type, number of AS numbers, AS numbers>. RFC 5065, 5.3: confederation segments do not
// count.
auto as_path_length(Cursor path, unsigned as_size) -> tl::expected<std::uint32_t, Malformed> {
  constexpr std::uint8_t as_set = 1, as_sequence = 2;
  std::uint32_t length = 0;
  while (!path.empty()) {
    const auto offset = path.offset();
    const auto type = path.u8();
    const auto count = path.u8();
    path.skip(std::size_t{count} * as_size);
    if (!path.complete())
      return malformed(offset, "the AS_PATH ends within a segment");
    if (type == as_sequence)
      length += count;
    else if (type == as_set)
      ++length;
  }
  return length;
}

// RFC 6396, 4.3.4: of MP_REACH_NLRI "only the Next Hop Address Length and Next Hop Address fields are included". Who writes
// all of it begins with address family and subsequent one, the first byte of which is zero.
auto ipv4_next_hop(Cursor reach) -> std::optional<std::uint32_t> {
  auto size = reach.u8();
  if (size == 0) {
    reach.skip(2);
    size = reach.u8();
  }
  const auto address = reach.u32();
  return size == 4 && reach.complete() ? std::optional{address} : std::nullopt;
}

auto expect_size(const Cursor& value, std::size_t size, const char* name) -> std::optional<Malformed> {
  if (value.left() == size)
    return std::nullopt;
  return Malformed{value.offset(), fmt::format("{} has {} bytes instead of {}", name, value.left(), size)};
}

}  // namespace

auto parse_path(Cursor attributes, unsigned as_size) -> tl::expected<Path, Malformed> {
  Path path;
  bool has_next_hop = false, has_mp_reach = false;
  std::optional<std::uint32_t> reached_by;
  while (!attributes.empty()) {
    const auto offset = attributes.offset();
    constexpr std::uint8_t extended_length = 0x10;
    const auto flags = attributes.u8();
    const auto type = attributes.u8();
    const std::size_t size = (flags & extended_length) != 0 ? attributes.u16() : attributes.u8();
    auto value = attributes.part(size);
    if (!attributes.complete())
      return malformed(offset, fmt::format("path attribute {} ends too early", type));
    std::optional<Malformed> wrong;
    switch (static_cast<Type>(type)) {
      case Type::origin:
        wrong = expect_size(value, 1, "ORIGIN");
        path.rank.origin = value.u8();
        break;
      case Type::as_path: {
        const auto length = as_path_length(value, as_size);
        if (!length)
          return tl::unexpected(length.error());
        path.rank.as_path_length = *length;
        break;
      }
      case Type::next_hop:
        wrong = expect_size(value, 4, "NEXT_HOP");
        path.next_hop = value.u32();
        has_next_hop = true;
        break;
      case Type::multi_exit_disc:
        wrong = expect_size(value, 4, "MULTI_EXIT_DISC");
        path.rank.exit_discriminator = value.u32();
        break;
      case Type::local_pref:
        wrong = expect_size(value, 4, "LOCAL_PREF");
        path.rank.local_preference_complement = ~value.u32();
        break;
      case Type::mp_reach_nlri:
        has_mp_reach = true;
        reached_by = ipv4_next_hop(value);
        break;
      default:
        break;
    }
    if (wrong)
      return tl::unexpected(std::move(*wrong));
  }
  if (!has_next_hop && reached_by)
    path.next_hop = *reached_by;
  path.ipv6_next_hop = has_mp_reach && !has_next_hop && !reached_by;
  return path;
}

}  // namespace sekisho::formats
