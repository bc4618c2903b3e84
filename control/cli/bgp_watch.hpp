// SPDX-License-Identifier: BSD-3-Clause
// `sekisho bgp watch`: withdraws what is advertised when sekisho-control cannot.
#pragma once

#include <string>

#include "control/cli/context.hpp"

namespace sekisho::cli {

struct WatchOptions {
  std::string config = default_configuration;
  std::string dataplane_socket;  // empty: the usual one
};

// Until it is told to end by a signal; then it withdraws if sekisho-control is not there to go on.
[[nodiscard]] Outcome watch_bgp(const Context& context, const WatchOptions& options);

}  // namespace sekisho::cli
