// Before an index stands for something else, what was counted for it is forgotten. No worker can count for it
// any more.
#pragma once

#include "dataplane/writer/live.hpp"

namespace sekisho::writer {

void forget_port(Live& live, forward::PortIndex index);
void forget_zone(Live& live, forward::ZoneIndex index);
void forget_adjacency(Live& live, fib::AdjacencyIndex index);
// What had been counted.
Totals forget_next_hop(Live& live, fib::NextHopIndex index);

}  // namespace sekisho::writer
