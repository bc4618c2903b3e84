// SPDX-License-Identifier: BSD-3-Clause
// What became of the frames of a port.
#pragma once

#include <cstdint>

#include "dataplane.pb.h"
#include "dataplane/writer/live.hpp"

namespace sekisho::writer {

// Of the interface that the port has now, or had last; without the port's name.
[[nodiscard]] auto books_of(const Live& live, const LivePort& port) -> ipc::PortStatistics;
// Frames that steering gave to the sockets of the port's device, or that came to a NIC, and no worker will have. Of a device that
// has lost its netdev the kernel counts none: all that was given and not taken.
[[nodiscard]] auto missed_by(const Live& live, const LivePort& port) -> std::uint64_t;
void add(ipc::PortStatistics& sum, const ipc::PortStatistics& more);
void add(ipc::Counter& sum, const forward::Traffic& traffic);

}  // namespace sekisho::writer
