// SPDX-License-Identifier: BSD-3-Clause
// Questions that several rules ask of the configuration: who has which sources, and what is behind which port.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "control/check/facts.hpp"

namespace sekisho::check {

// The configuration's; empty for "None", "Internet" and what it does not have.
[[nodiscard]] auto members_of(const Facts& facts, std::string_view next_hop)
    -> const std::vector<std::uint32_t>&;
// By which port a neighbour is reached, as the longest connected prefix tells. nullopt: none, or a port that is not known might.
[[nodiscard]] auto port_towards(const Facts& facts, std::uint32_t address) -> std::optional<std::size_t>;
[[nodiscard]] bool all_addresses_known(const Facts& facts);
// The one port that all members of a next hop are behind.
[[nodiscard]] auto port_of(const Facts& facts, std::string_view next_hop) -> std::optional<std::size_t>;
// Is this address the appliance's, or its load balancer's?
[[nodiscard]] bool is_own(const Facts& facts, std::uint32_t address);
// The zone whose table this is; null: a file's.
[[nodiscard]] auto zone_of(const Facts& facts, const Table& table) -> const policy::ZonePolicy*;
[[nodiscard]] auto zone_table(const Facts& facts, const policy::ZonePolicy& zone) -> const Table&;
// The zone that a source belongs to: an index; nullopt: none.
[[nodiscard]] auto zone_of_source(const Facts& facts, std::uint32_t address) -> std::optional<std::size_t>;

}  // namespace sekisho::check
