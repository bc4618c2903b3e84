// SPDX-License-Identifier: BSD-3-Clause
// What is wrong with a port's interface, or other than the configuration says, in the words of `show ports` and `show state`.
#pragma once

#include <string>
#include <vector>

#include "control/config/config.hpp"
#include "control/netlink/mirror.hpp"
#include "dataplane.pb.h"

namespace sekisho::serve {

// `state`: the dataplane's word on the port; null: it has none.
[[nodiscard]] auto port_findings(const config::Port& port, const netlink::Mirror& mirror,
                                 const ipc::PortState* state) -> std::vector<std::string>;

}  // namespace sekisho::serve
