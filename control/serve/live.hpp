// SPDX-License-Identifier: BSD-3-Clause
// What the dataplane says of itself, asked for by whoever shows it: the CLI and the metrics.
#pragma once

#include <optional>
#include <string>

#include "dataplane.pb.h"

namespace sekisho::serve {

// Neither state nor statistics while it is away or does not answer: what the policy says can be shown without.
struct Live {
  std::optional<ipc::State> state;
  std::optional<ipc::Statistics> statistics;
  bool connected = false;
  std::string error{};  // why there is no state, or no statistics
};

}  // namespace sekisho::serve
