// SPDX-License-Identifier: BSD-3-Clause
// MRT RIB dumps (RFC 6396): TABLE_DUMP, and TABLE_DUMP_V2 with and without additional paths (RFC 8050). IPv4 unicast becomes
// routes of Origin::bgp, each with the peer's next hop (none where there is no NEXT_HOP or it is 0.0.0.0: the router's own
// routes); IPv6 is counted and left out. Logs of BGP messages are refused. A malformed path of another peer than the one
// that is read is dropped, counted and a finding (RFC 7606).
//
// Of several paths of one peer to a prefix (additional paths) the best counts, by local preference, length of the AS path,
// origin and exit discriminator (RFC 4271, 9.1); equal ones with several next hops become a VirtualApplianceEcmp of their
// addresses in ascending order, the first 64 of them. So the result does not depend on the order of the paths.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string_view>
#include <tl/expected.hpp>

#include "common/base/error.hpp"
#include "control/formats/route_file.hpp"

namespace sekisho::formats {

[[nodiscard]] bool is_mrt(std::string_view bytes) noexcept;
// `peer`: whose routes, by address; may be left out where the file holds routes of one peer only. Two sessions of one
// address are two peers: an address that both have chooses neither. An error says which byte
// of the (decompressed) file is wrong.
[[nodiscard]] auto parse_mrt(std::string_view bytes, const std::filesystem::path& file,
                             std::optional<std::uint32_t> peer) -> tl::expected<RouteFile, base::Error>;

}  // namespace sekisho::formats
