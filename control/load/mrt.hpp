// MRT RIB dumps (RFC 6396): TABLE_DUMP_V2 with and without additional paths (RFC 8050). IPv4 unicast becomes routes of
// Origin::bgp, each with the peer's next hop; IPv6 is counted and left out.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string_view>
#include <tl/expected.hpp>

#include "control/load/error.hpp"
#include "control/load/route_file.hpp"

namespace sekisho::load {

[[nodiscard]] bool is_mrt(std::string_view bytes) noexcept;
// `peer`: whose routes, by address; may be left out where the file holds routes of one peer only.
[[nodiscard]] auto parse_mrt(std::string_view bytes, const std::filesystem::path& file,
                             std::optional<std::uint32_t> peer) -> tl::expected<RouteFile, Error>;

}  // namespace sekisho::load
