// SPDX-License-Identifier: BSD-3-Clause
// Whether BGP peers may be told to send traffic here. Pure.
#pragma once

#include <string>
#include <vector>

#include "control/config/config.hpp"
#include "control/reach/members.hpp"
#include "control/serve/problems.hpp"

namespace sekisho::serve {

// Why not; empty: they may. Traffic that comes is forwarded when the verdict is not "closed", and a port runs by which a living member of
// the Internet's next hop is reached.
[[nodiscard]] auto why_not_advertised(const config::Config& config, const std::vector<reach::Member>& members,
                                      const std::vector<Problem>& problems) -> std::vector<std::string>;

}  // namespace sekisho::serve
