// SPDX-License-Identifier: BSD-3-Clause
#include "common/ipc/seats.hpp"

#include <algorithm>
#include <tuple>

namespace sekisho::ipc {

auto who_leaves(std::span<const Seat> taken, bool for_owner) -> std::optional<std::size_t> {
  const auto order = [](const Seat& seat) { return std::tuple(seat.standing, seat.is_owners, seat.since); };
  std::optional<std::size_t> first;
  for (std::size_t i = 0; i < taken.size(); ++i) {
    const auto& seat = taken[i];
    if (seat.standing == Standing::busy || (seat.is_owners && !for_owner)) {
      continue;
    }
    if (!first || order(seat) < order(taken[*first])) {
      first = i;
    }
  }
  return first;
}

Seating find_seat(std::span<const Seat> taken, bool for_owner) {
  const auto others = static_cast<std::size_t>(std::ranges::count(taken, false, &Seat::is_owners));
  const bool is_full = for_owner ? taken.size() >= most_seats
                                 : taken.size() >= most_seats || others >= most_seats - owners_seats;
  if (!is_full) {
    return {.is_admitted = true, .leaves = {}};
  }
  const auto leaves = who_leaves(taken, for_owner);
  return {.is_admitted = leaves.has_value(), .leaves = leaves};
}

}  // namespace sekisho::ipc
