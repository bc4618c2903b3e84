// SPDX-License-Identifier: BSD-3-Clause
// Indexes that are given out, and taken back when no worker can count for them any more: then what was counted is
// forgotten, before the index stands for something else.
#pragma once

#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "dataplane/writer/live.hpp"

namespace sekisho::writer {

// The refusal says that there are no more; `what` is in the plural.
[[nodiscard]] auto take_index(const Live& live, IndexPool& pool, std::string_view what)
    -> tl::expected<unsigned, std::string>;

void forget_port(Live& live, forward::PortIndex index);
void forget_zone(Live& live, forward::ZoneIndex index);
void forget_adjacency(Live& live, nexthop::AdjacencyIndex index);
// What had been counted.
Totals forget_next_hop(Live& live, nexthop::NextHopIndex index);

}  // namespace sekisho::writer
