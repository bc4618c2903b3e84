// rtnetlink messages as types: what the kernel sends is read here, what it is asked is written here. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "control/config/config.hpp"
#include "control/kernel/netlink.hpp"

struct nlmsghdr;

namespace sekisho::kernel::rtnetlink {

struct LinkMessage {
  bool gone = false;
  Link link;
};

struct AddressMessage {
  bool gone = false;
  int index = 0;
  config::InterfaceAddress address;
};

struct NeighbourMessage {
  bool gone = false;
  int index = 0;
  std::uint32_t address = 0;
  bool managed = false;    // the kernel keeps it resolved
  bool permanent = false;  // an operator set it: PERMANENT or NOARP
  Neighbour neighbour;
};

// Nothing for a message of another kind or family, or one that lacks what it must have.
[[nodiscard]] auto parse_link(const nlmsghdr& message) -> std::optional<LinkMessage>;
[[nodiscard]] auto parse_address(const nlmsghdr& message) -> std::optional<AddressMessage>;
[[nodiscard]] auto parse_neighbour(const nlmsghdr& message) -> std::optional<NeighbourMessage>;

// Each writes one message into the buffer and returns its length.
using Buffer = std::span<char, 512>;
enum class Dump : std::uint8_t { links, addresses, neighbours };
std::size_t write_dump(Buffer buffer, Dump what, std::uint32_t sequence);
// Resolve this neighbour; with `managed`, and keep it resolved. Without it an entry that exists is no longer
// managed.
std::size_t write_resolve(Buffer buffer, int index, std::uint32_t address, bool managed,
                          std::uint32_t sequence);

}  // namespace sekisho::kernel::rtnetlink
