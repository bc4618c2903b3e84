// SPDX-License-Identifier: BSD-3-Clause
// What a worker decided about a packet, with the names of what its indexes stand for.
#pragma once

#include "dataplane.pb.h"
#include "dataplane/forward/capture.hpp"
#include "dataplane/writer/live.hpp"

namespace sekisho::writer {

// Leaves out what is not there any more, and prefixes that lead somewhere else now. The writer's.
void describe(const Live& live, const forward::Capture::Packet& packet, ipc::Judgement& message);

}  // namespace sekisho::writer
