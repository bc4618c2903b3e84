// SPDX-License-Identifier: BSD-3-Clause
// The records of an MRT file that dump a routing table: TABLE_DUMP (RFC 6396, 4.2), TABLE_DUMP_V2 (4.3) and its additional
// paths (RFC 8050, 4). Tells every IPv4 unicast path; knows nothing of route tables.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "common/base/prefix.hpp"
#include "control/formats/bgp_path.hpp"
#include "control/formats/cursor.hpp"

namespace sekisho::formats {

struct PeerAddress {
  bool is_ipv6 = false;
  std::array<std::uint8_t, 16> bytes{};  // as in the file; IPv4 in the first four

  [[nodiscard]] bool is(std::uint32_t ipv4) const noexcept;
  friend auto operator<=>(const PeerAddress&, const PeerAddress&) = default;
};
[[nodiscard]] std::string to_string(const PeerAddress& address);

// One session: a router may hold several from one address, of other AS numbers or identifiers.
struct Peer {
  PeerAddress address;
  std::uint32_t as = 0;
  std::uint32_t identifier = 0;  // BGP's; 0 where the file does not tell
  friend auto operator<=>(const Peer&, const Peer&) = default;
};

class MrtDump {
 public:
  // `bytes` outlive the dump.
  explicit MrtDump(std::string_view bytes) : bytes_(bytes) {}

  // `peer`: an index of peers().
  using Visit = std::function<void(std::uint32_t peer, base::Prefix prefix, const Path& path)>;
  // Goes through the whole file, and checks all of it. A path that is malformed is not visited: RFC 7606, 2, has its route
  // withdrawn and the others kept. May be called again: peers keep their indexes.
  [[nodiscard]] auto walk(const Visit& visit) -> tl::expected<void, Malformed>;

  // What the last walk met.
  [[nodiscard]] const std::vector<Peer>& peers() const noexcept { return peers_; }
  [[nodiscard]] std::size_t ipv6() const noexcept { return ipv6_; }  // prefixes
  struct Dropped {
    std::size_t paths = 0;
    Malformed first;
  };
  // Malformed paths, by peer.
  [[nodiscard]] const std::map<std::uint32_t, Dropped>& dropped() const noexcept { return dropped_; }
  // Records of other kinds of routes, by their name ("RIB_IPV4_MULTICAST").
  [[nodiscard]] const std::map<std::string_view, std::size_t>& left_out() const noexcept { return left_out_; }

 private:
  using Result = tl::expected<void, Malformed>;
  struct Header {
    std::size_t offset = 0;
    std::uint16_t type = 0;
    std::uint16_t subtype = 0;
  };

  [[nodiscard]] auto record(const Header& header, Cursor message, const Visit& visit) -> Result;
  [[nodiscard]] auto table_dump(const Header& header, Cursor message, const Visit& visit) -> Result;
  [[nodiscard]] auto table_dump_v2(const Header& header, Cursor message, const Visit& visit) -> Result;
  [[nodiscard]] auto peer_index_table(const Header& header, Cursor message) -> Result;
  [[nodiscard]] auto rib(const Header& header, Cursor message, bool additional_paths, const Visit& visit)
      -> Result;
  [[nodiscard]] std::uint32_t intern(const Peer& peer);
  void drop(std::uint32_t peer, const Malformed& path);

  std::string_view bytes_;
  std::vector<Peer> peers_;
  std::map<Peer, std::uint32_t> ids_;
  std::vector<std::uint32_t> index_;  // of the last PEER_INDEX_TABLE: peer index to index of peers()
  std::size_t ipv6_ = 0;
  std::map<std::string_view, std::size_t> left_out_;
  std::map<std::uint32_t, Dropped> dropped_;
};

// Whether bytes begin like the header of any MRT record.
[[nodiscard]] bool begins_with_mrt_header(std::string_view bytes) noexcept;

}  // namespace sekisho::formats
