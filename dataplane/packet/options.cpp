// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/packet/options.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace sekisho::packet {
namespace {

constexpr std::uint8_t end_of_list = 0;
constexpr std::uint8_t no_operation = 1;
constexpr std::uint8_t record_route = 7;
constexpr std::uint8_t internet_timestamp = 68;
constexpr std::uint8_t loose_source_route = 131;
constexpr std::uint8_t strict_source_route = 137;

// RFC 1191, 1, of probe and reply MTU; RFC 6814, 3, of all others: encode, traceroute, stream ID, VISA, extended internet protocol, address
// extension, selective directed broadcast, dynamic packet state, upstream multicast.
constexpr std::array<std::uint8_t, 11> obsolete{11, 12, 15, 82, 136, 142, 145, 147, 149, 151, 152};

constexpr unsigned address_size = 4;

// RFC 791, 3.1, of a timestamp's flag.
enum class Stamps : std::uint8_t { alone = 0, with_addresses = 1, of_named_addresses = 3 };

// Of an option whose length holds: `data` begins with its type, `size` bytes long.
struct Option {
  std::uint8_t* data;
  unsigned size;

  [[nodiscard]] unsigned pointer() const noexcept { return data[2]; }  // counts from 1
  [[nodiscard]] bool is_full() const noexcept { return pointer() > size; }
  [[nodiscard]] std::uint8_t* room() const noexcept { return data + pointer() - 1; }
  // Behind the pointer, which counts from 1.
  [[nodiscard]] bool has_room(unsigned bytes) const noexcept { return pointer() - 1 + bytes <= size; }
};

void put_be32(std::uint8_t* bytes, std::uint32_t value) noexcept {
  store_be16(bytes, static_cast<std::uint16_t>(value >> 16));
  store_be16(bytes + 2, static_cast<std::uint16_t>(value));
}

Stamps stamps_of(const Option& option) noexcept {
  return Stamps{static_cast<std::uint8_t>(option.data[3] & 0x0fU)};
}

unsigned stamp_size(const Option& option) noexcept {
  return stamps_of(option) == Stamps::alone ? address_size : 2 * address_size;
}

// Calls visit(option) for each of a list without fault that has a length.
template <typename Visit>
void for_each_option(std::uint8_t* header, Visit visit) noexcept {
  const unsigned end = (header[0] & 0x0fU) * 4U;
  for (unsigned at = ipv4_header_minimum; at < end && header[at] != end_of_list;) {
    if (header[at] == no_operation) {
      ++at;
      continue;
    }
    const Option option{.data = header + at, .size = header[at + 1]};
    visit(option);
    at += option.size;
  }
}

// Which octet of the option is wrong, from its type on; 0: none, since a type cannot be. RFC 791, 3.1: "If there is some room but not enough
// room for a full address to be inserted, the original datagram is considered to be in error and is discarded."
unsigned fault_in_record(const Option& option) noexcept {
  constexpr unsigned least_pointer = 4;
  if (option.size < 3) {
    return 1;
  }
  if (option.pointer() < least_pointer) {
    return 2;
  }
  return option.is_full() || option.has_room(address_size) ? 0 : 2;
}

// The same of a timestamp; and "If there is some room but not enough room for a full timestamp to be inserted, or the overflow count itself
// overflows, the original datagram is considered to be in error and is discarded."
unsigned fault_in_stamps(const Option& option) noexcept {
  constexpr unsigned least_pointer = 5;
  if (option.size < 4) {
    return 1;
  }
  if (option.pointer() < least_pointer) {
    return 2;
  }
  const auto kind = stamps_of(option);
  if (kind != Stamps::alone && kind != Stamps::with_addresses && kind != Stamps::of_named_addresses) {
    return 3;
  }
  if (!option.is_full()) {
    return option.has_room(stamp_size(option)) ? 0 : 2;
  }
  constexpr std::uint8_t most = 15;
  return kind != Stamps::of_named_addresses && option.data[3] >> 4 == most ? 3 : 0;
}

void fill_record(const Option& option, std::uint32_t address) noexcept {
  if (!option.is_full()) {
    put_be32(option.room(), address);
    option.data[2] = static_cast<std::uint8_t>(option.data[2] + address_size);
  }
}

void fill_stamps(const Option& option, const OptionEntry& entry) noexcept {
  const auto kind = stamps_of(option);
  if (option.is_full()) {
    // Who names the addresses knows how many have not stamped.
    if (kind != Stamps::of_named_addresses) {
      option.data[3] = static_cast<std::uint8_t>(option.data[3] + 0x10);
    }
    return;
  }
  std::uint8_t* const room = option.room();
  if (kind == Stamps::of_named_addresses && !entry.is_named) {
    return;
  }
  if (kind == Stamps::with_addresses) {
    put_be32(room, entry.address);
  }
  put_be32(kind == Stamps::alone ? room : room + address_size, entry.milliseconds);
  option.data[2] = static_cast<std::uint8_t>(option.data[2] + stamp_size(option));
}

OptionFinding faulty(OptionFault fault, unsigned at) noexcept {
  return {.fault = fault, .at = static_cast<std::uint8_t>(at)};
}

// Of one whose type has a length.
OptionFinding examine(const Option& option, unsigned at, const OptionPolicy& policy) noexcept {
  const std::uint8_t type = option.data[0];
  if (std::ranges::find(obsolete, type) != obsolete.end()) {
    return faulty(OptionFault::obsolete, at);
  }
  if (type != record_route && type != internet_timestamp) {
    return {};
  }
  const bool is_record = type == record_route;
  const auto handling = is_record ? policy.record_route : policy.timestamp;
  if (handling == OptionHandling::refuse) {
    return faulty(OptionFault::refused, at);
  }
  if (handling == OptionHandling::ignore) {
    return {};
  }
  if (const unsigned wrong = is_record ? fault_in_record(option) : fault_in_stamps(option); wrong != 0) {
    return faulty(OptionFault::malformed, at + wrong);
  }
  return {.to_fill = true};
}

}  // namespace

OptionFinding examine_options(Ipv4View ip, const OptionPolicy& policy) noexcept {
  // An Option is written only by who has a header that may be written.
  auto* const header = const_cast<std::uint8_t*>(ip.data());
  const unsigned end = ip.header_size();
  OptionFinding all;
  bool has_record = false;
  bool has_stamps = false;
  for (unsigned at = ipv4_header_minimum; at < end;) {
    const std::uint8_t type = header[at];
    if (type == end_of_list) {
      break;
    }
    if (type == no_operation) {
      ++at;
      continue;
    }
    // Before its length is looked at: a source route with a length that lies is no better.
    if ((type == loose_source_route || type == strict_source_route) && !policy.source_routes_pass) {
      return faulty(OptionFault::source_route, at);
    }
    // The length counts type and length themselves (RFC 791, 3.1).
    if (at + 1 == end) {
      return faulty(OptionFault::malformed, at);
    }
    const unsigned size = header[at + 1];
    if (size < 2 || size > end - at) {
      return faulty(OptionFault::malformed, at + 1);
    }
    const auto found = examine({.data = header + at, .size = size}, at, policy);
    if (found.fault != OptionFault::none) {
      return found;
    }
    // RFC 791, 3.1, of both: "Appears at most once in a datagram."
    bool* const has = type == record_route ? &has_record : type == internet_timestamp ? &has_stamps : nullptr;
    if (found.to_fill && std::exchange(*has, true)) {
      return faulty(OptionFault::malformed, at);
    }
    all.to_fill |= found.to_fill;
    at += size;
  }
  return all;
}

std::uint32_t named_for_timestamp(Ipv4View ip, const OptionPolicy& policy) noexcept {
  std::uint32_t named = 0;
  if (policy.timestamp != OptionHandling::fill) {
    return named;  // nobody has looked whether its pointer holds
  }
  for_each_option(const_cast<std::uint8_t*>(ip.data()), [&](const Option& option) {
    if (option.data[0] == internet_timestamp && stamps_of(option) == Stamps::of_named_addresses &&
        !option.is_full()) {
      named = load_be32(option.room());
    }
  });
  return named;
}

void fill_options(std::uint8_t* header, const OptionPolicy& policy, const OptionEntry& entry) noexcept {
  for_each_option(header, [&](const Option& option) {
    if (option.data[0] == record_route && policy.record_route == OptionHandling::fill) {
      fill_record(option, entry.address);
    } else if (option.data[0] == internet_timestamp && policy.timestamp == OptionHandling::fill) {
      fill_stamps(option, entry);
    }
  });
  set_header_checksum(header);
}

}  // namespace sekisho::packet
