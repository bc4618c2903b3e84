// SPDX-License-Identifier: BSD-3-Clause
// Functions of ARM templates that calculate with networks, of IPv4. nullopt: it is not given what it takes.
#pragma once

#include <optional>
#include <span>

#include "control/formats/json.hpp"

namespace sekisho::formats {

// cidrHost('10.144.3.0/24', 0) is 10.144.3.1.
[[nodiscard]] auto cidr_host(std::span<const Json> arguments) -> std::optional<Json>;
// cidrSubnet('10.144.0.0/20', 24, 1) is 10.144.1.0/24.
[[nodiscard]] auto cidr_subnet(std::span<const Json> arguments) -> std::optional<Json>;
[[nodiscard]] auto parse_cidr(std::span<const Json> arguments) -> std::optional<Json>;

}  // namespace sekisho::formats
