// SPDX-License-Identifier: BSD-3-Clause
// What the kernel says of routes and next-hop objects, as values. Pure.
#pragma once

#include <linux/netlink.h>

#include <cstdint>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "common/base/prefix.hpp"
#include "control/netlink/socket.hpp"
#include "control/route/learned.hpp"

namespace sekisho::learn {

struct RouteMessage {
  bool gone = false;
  bool replaces = false;  // the one of this prefix and metric
  std::uint32_t table = 0;
  base::Prefix prefix;
  std::uint32_t metric = 0;
  std::uint8_t protocol = 0;
  std::uint32_t object = 0;  // a next-hop object that says where it leads; 0: `way` does
  route::LearnedWay way;
};

struct ObjectMessage {
  bool gone = false;
  std::uint32_t id = 0;
  std::vector<std::pair<std::uint32_t, unsigned>> group;  // objects and their weights; empty: it is no group
  route::LearnedWay way;                                  // of one that is no group
};

// An interface went down or lost an address: its routes are gone, and of those no message speaks.
struct LinkMessage {};

using Said = std::variant<RouteMessage, ObjectMessage, LinkMessage>;

// Nothing for a message of another kind or family, for routes that nothing is forwarded by (local, broadcast, cached, of a
// type of service), or one that lacks what it must have.
[[nodiscard]] auto parse(const nlmsghdr& message) -> std::optional<Said>;

// An answer to our question of this number (0: there is none), or what the kernel says to everybody. What is left of an earlier
// question, whose listing was given up, is neither: it is older than what has been said since.
enum class Hearing : std::uint8_t { answer, news, leftover };
[[nodiscard]] auto hearing(const nlmsghdr& message, std::uint32_t port, std::uint32_t question) -> Hearing;

// Asks for all routes of a table; of a table that does not exist the kernel says ENOENT.
[[nodiscard]] auto list_routes(std::uint32_t table, std::uint32_t sequence) -> netlink::Message;
[[nodiscard]] auto list_objects(std::uint32_t sequence) -> netlink::Message;

}  // namespace sekisho::learn
