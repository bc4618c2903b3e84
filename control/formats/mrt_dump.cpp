// SPDX-License-Identifier: BSD-3-Clause
#include "control/formats/mrt_dump.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>

namespace sekisho::formats {
namespace {

// RFC 6396, 2: timestamp, type, subtype and length of the message.
constexpr std::size_t header_size = 12;

// RFC 6396, 4, and the types before it (appendix B).
constexpr std::uint16_t type_table_dump = 12;
constexpr std::uint16_t type_table_dump_v2 = 13;
constexpr std::uint16_t type_last = 49;  // OSPFv3_ET

auto record_type(std::uint16_t type) -> std::string {
  switch (type) {
    case 5:
      return "BGP";
    case 11:
      return "OSPFv2";
    case 16:
      return "BGP4MP";
    case 17:
      return "BGP4MP_ET";
    case 32:
      return "ISIS";
    case 33:
      return "ISIS_ET";
    case 48:
      return "OSPFv3";
    case 49:
      return "OSPFv3_ET";
    default:
      return fmt::format("type {}", type);
  }
}

// Of TABLE_DUMP.
constexpr std::uint16_t afi_ipv4 = 1, afi_ipv6 = 2;

// Of TABLE_DUMP_V2: RFC 6396, 4.3; RFC 6397, 4; RFC 8050, 4.
enum class Subtype : std::uint16_t {
  peer_index_table = 1,
  rib_ipv4_unicast,
  rib_ipv4_multicast,
  rib_ipv6_unicast,
  rib_ipv6_multicast,
  rib_generic,
  geo_peer_table,
  rib_ipv4_unicast_addpath,
  rib_ipv4_multicast_addpath,
  rib_ipv6_unicast_addpath,
  rib_ipv6_multicast_addpath,
  rib_generic_addpath,
};

auto take_peer_address(Cursor& from, bool is_ipv6) -> PeerAddress {
  PeerAddress address{.is_ipv6 = is_ipv6};
  std::ranges::copy(from.take(is_ipv6 ? 16 : 4), address.bytes.begin());
  return address;
}

// RFC 4271, 4.3: "the value of trailing bits is irrelevant".
auto without_host_bits(std::uint32_t address, std::uint8_t length) -> base::Prefix {
  base::Prefix prefix{.address = address, .length = length};
  prefix.address &= prefix.mask();
  return prefix;
}

// As many bytes as the length needs.
auto take_prefix(Cursor& from) -> tl::expected<base::Prefix, Malformed> {
  const auto offset = from.offset();
  const auto length = from.u8();
  if (length > 32)
    return malformed(offset, fmt::format("an IPv4 prefix of length {}", length));
  std::uint32_t address = 0;
  unsigned shift = 24;
  for (const char byte : from.take((length + 7U) / 8)) {
    address |= std::uint32_t{static_cast<std::uint8_t>(byte)} << shift;
    shift -= 8;
  }
  return without_host_bits(address, length);
}

auto expect_end(const Cursor& message) -> tl::expected<void, Malformed> {
  if (!message.complete())
    return malformed(message.offset(), "the record ends too early");
  if (!message.empty())
    return malformed(message.offset(), fmt::format("the record has {} bytes too many", message.left()));
  return {};
}

}  // namespace

bool PeerAddress::is(std::uint32_t ipv4) const noexcept {
  const auto own = std::uint32_t{bytes[0]} << 24 | std::uint32_t{bytes[1]} << 16 |
                   std::uint32_t{bytes[2]} << 8 | std::uint32_t{bytes[3]};
  return !is_ipv6 && own == ipv4;
}

std::string to_string(const PeerAddress& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  ::inet_ntop(address.is_ipv6 ? AF_INET6 : AF_INET, address.bytes.data(), text.data(), text.size());
  return text.data();
}

bool begins_with_mrt_header(std::string_view bytes) noexcept {
  Cursor header{bytes.substr(0, header_size)};
  header.skip(4);
  const auto type = header.u16();
  const auto subtype = header.u16();
  header.skip(4);
  // Numbers this small have a zero byte, which no text has.
  return header.complete() && type <= type_last && subtype <= 0xff;
}

// Of a record that tells no identifier, one that is known already will do.
std::uint32_t MrtDump::intern(const Peer& peer) {
  if (const auto known = ids_.lower_bound(peer); peer.identifier == 0 && known != ids_.end() &&
                                                 known->first.address == peer.address &&
                                                 known->first.as == peer.as)
    return known->second;
  const auto [entry, added] = ids_.try_emplace(peer, static_cast<std::uint32_t>(peers_.size()));
  if (added)
    peers_.push_back(peer);
  return entry->second;
}

void MrtDump::drop(std::uint32_t peer, const Malformed& path) {
  ++dropped_.try_emplace(peer, Dropped{.paths = 0, .first = path}).first->second.paths;
}

auto MrtDump::walk(const Visit& visit) -> Result {
  index_.clear();
  ipv6_ = 0;
  left_out_.clear();
  dropped_.clear();
  Cursor file{bytes_};
  while (!file.empty()) {
    Header header{.offset = file.offset()};
    file.skip(4);  // when it was written
    header.type = file.u16();
    header.subtype = file.u16();
    const auto size = file.u32();
    if (!file.complete())
      return malformed(header.offset, "the file ends within a record's header");
    const auto left = file.left();
    const auto message = file.part(size);
    if (!file.complete())
      return malformed(header.offset,
                       fmt::format("a record of {} bytes, of which the file has {}", size, left));
    if (auto result = record(header, message, visit); !result)
      return result;
  }
  return {};
}

auto MrtDump::record(const Header& header, Cursor message, const Visit& visit) -> Result {
  if (header.type == type_table_dump)
    return table_dump(header, message, visit);
  if (header.type == type_table_dump_v2)
    return table_dump_v2(header, message, visit);
  return malformed(header.offset,
                   fmt::format("a record of {}: only dumps of a table can be read (TABLE_DUMP, "
                               "TABLE_DUMP_V2), not logs of messages",
                               record_type(header.type)));
}

// A record a path.
auto MrtDump::table_dump(const Header& header, Cursor message, const Visit& visit) -> Result {
  if (header.subtype == afi_ipv6) {
    ++ipv6_;
    return {};
  }
  if (header.subtype != afi_ipv4)
    return malformed(header.offset,
                     fmt::format("a TABLE_DUMP record of the address family {}", header.subtype));
  message.skip(4);  // view and sequence number
  const auto address = message.u32();
  const auto length_offset = message.offset();
  const auto length = message.u8();
  message.skip(5);  // status and time
  const auto peer = take_peer_address(message, false);
  const auto as = message.u16();
  const auto attributes = message.part(message.u16());
  if (auto end = expect_end(message); !end)
    return end;
  if (length > 32)
    return malformed(length_offset, fmt::format("an IPv4 prefix of length {}", length));
  const auto id = intern({.address = peer, .as = as});
  if (const auto path = parse_path(attributes, 2))
    visit(id, without_host_bits(address, length), *path);
  else
    drop(id, path.error());
  return {};
}

auto MrtDump::table_dump_v2(const Header& header, Cursor message, const Visit& visit) -> Result {
  const auto leave_out = [&](std::string_view name) -> Result {
    ++left_out_[name];
    return {};
  };
  switch (static_cast<Subtype>(header.subtype)) {
    case Subtype::peer_index_table:
      return peer_index_table(header, message);
    case Subtype::rib_ipv4_unicast:
      return rib(header, message, false, visit);
    case Subtype::rib_ipv4_unicast_addpath:
      return rib(header, message, true, visit);
    case Subtype::rib_ipv6_unicast:
    case Subtype::rib_ipv6_unicast_addpath:
      ++ipv6_;
      return {};
    case Subtype::rib_ipv4_multicast:
    case Subtype::rib_ipv4_multicast_addpath:
      return leave_out("RIB_IPV4_MULTICAST");
    case Subtype::rib_ipv6_multicast:
    case Subtype::rib_ipv6_multicast_addpath:
      return leave_out("RIB_IPV6_MULTICAST");
    case Subtype::rib_generic:
    case Subtype::rib_generic_addpath:
      return leave_out("RIB_GENERIC");
    case Subtype::geo_peer_table:  // where peers are on Earth
      return {};
  }
  return malformed(header.offset,
                   fmt::format("a TABLE_DUMP_V2 record of the unknown subtype {}", header.subtype));
}

// RFC 6396, 4.3.1.
auto MrtDump::peer_index_table(const Header& header, Cursor message) -> Result {
  index_.clear();
  message.skip(4);              // the collector's BGP identifier
  message.skip(message.u16());  // the view's name
  const auto count = message.u16();
  for (unsigned i = 0; i < count && message.complete(); ++i) {
    constexpr std::uint8_t is_ipv6 = 1, has_four_byte_as = 2;
    const auto type = message.u8();
    const auto identifier = message.u32();
    const auto address = take_peer_address(message, (type & is_ipv6) != 0);
    const auto as = (type & has_four_byte_as) != 0 ? message.u32() : message.u16();
    if (message.complete())
      index_.push_back(intern({.address = address, .as = as, .identifier = identifier}));
  }
  if (!message.complete())
    return malformed(header.offset,
                     fmt::format("a PEER_INDEX_TABLE that ends after {} of {} peers", index_.size(), count));
  return expect_end(message);
}

// RFC 6396, 4.3.2 and 4.3.4.
auto MrtDump::rib(const Header& header, Cursor message, bool additional_paths, const Visit& visit) -> Result {
  message.skip(4);  // sequence number
  const auto prefix = take_prefix(message);
  if (!prefix)
    return tl::unexpected(prefix.error());
  const auto count = message.u16();
  for (unsigned i = 0; i < count; ++i) {
    const auto offset = message.offset();
    const auto peer = message.u16();
    message.skip(4);  // when it was received
    if (additional_paths)
      message.skip(4);  // RFC 8050, 4.1: the path identifier
    const auto attributes = message.part(message.u16());
    if (!message.complete())
      return malformed(header.offset,
                       fmt::format("the RIB entries of {} end after {} of {}", to_string(*prefix), i, count));
    if (peer >= index_.size())
      return malformed(offset,
                       fmt::format("peer {}, where the PEER_INDEX_TABLE has {}", peer, index_.size()));
    // RFC 6396, 4.3.4: "All AS numbers in the AS_PATH attribute MUST be encoded as 4-byte AS numbers."
    if (const auto path = parse_path(attributes, 4))
      visit(index_[peer], *prefix, *path);
    else
      drop(index_[peer], path.error());
  }
  return expect_end(message);
}

}  // namespace sekisho::formats
