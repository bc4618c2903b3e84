// What became of the frames of a port.
#pragma once

#include "dataplane.pb.h"
#include "dataplane/writer/live.hpp"

namespace sekisho::writer {

// Of the interface that the port has now, or had last; without the port's name.
[[nodiscard]] auto books_of(const Live& live, const LivePort& port) -> ipc::PortStatistics;
void add(ipc::PortStatistics& sum, const ipc::PortStatistics& more);
void add(ipc::Counter& sum, const forward::Traffic& traffic);

}  // namespace sekisho::writer
