// SPDX-License-Identifier: BSD-3-Clause
// Who may stay when a server's places are taken. A client that only holds its connection open never keeps another one out, and
// some places are kept for the owner (root, and the user that the server runs as), so that nobody else locks him out.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace sekisho::ipc {

// Later ones are taken away later; who is busy is never interrupted.
enum class Standing : std::uint8_t { idle, subscribed, busy };

struct Seat {
  bool is_owners = false;
  Standing standing = Standing::idle;
  std::chrono::steady_clock::time_point since;  // of its last request, or of its connection
};

inline constexpr std::size_t most_seats =
    64;  // not more, so that nobody takes all of the process's file descriptors
inline constexpr std::size_t owners_seats = 16;  // of those, that nobody else gets

struct Seating {
  bool is_admitted = false;
  std::optional<std::size_t> leaves;  // which of `taken` makes room
};
[[nodiscard]] Seating find_seat(std::span<const Seat> taken, bool for_owner);

// The one that makes room for `for_owner`'s client when there is any reason that somebody must: he is the longest without a
// request among those of least standing.
[[nodiscard]] auto who_leaves(std::span<const Seat> taken, bool for_owner) -> std::optional<std::size_t>;

}  // namespace sekisho::ipc
