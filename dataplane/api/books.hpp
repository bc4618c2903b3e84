// What became of the frames of a port.
#pragma once

#include "dataplane.pb.h"
#include "dataplane/api/live.hpp"

namespace sekisho::api {

// Of the interface that the port has now, or had last; without the port's name.
[[nodiscard]] auto books_of(const Live& live, const LivePort& port) -> PortStatistics;
void add(PortStatistics& sum, const PortStatistics& more);
void add(Counter& sum, const forward::Traffic& traffic);

}  // namespace sekisho::api
