// SPDX-License-Identifier: BSD-3-Clause
// What Azure's tools print for people: the columns of `az ... --output table` and PowerShell's Format-Table, and the file of
// comma separated values that the portal downloads. Each row is read as the JSON that says the same; a cell that was cut
// short is refused.
#pragma once

#include "control/formats/format.hpp"

namespace sekisho::formats {

// "Source State Address Prefix Next Hop Type Next Hop IP"
[[nodiscard]] bool holds_effective_table(const Content& content);
[[nodiscard]] auto read_effective_table(const Content& content, const Options& options) -> Reading;

// "Source,State,Address Prefixes,Next Hop Type,Next Hop IP Address,User Defined Route Name"
[[nodiscard]] bool holds_effective_csv(const Content& content);
[[nodiscard]] auto read_effective_csv(const Content& content, const Options& options) -> Reading;

// "AddressPrefix HasBgpOverride Name NextHopIpAddress NextHopType ..", of `az network route-table route list`
[[nodiscard]] bool holds_route_columns(const Content& content);
[[nodiscard]] auto read_route_columns(const Content& content, const Options& options) -> Reading;

}  // namespace sekisho::formats
