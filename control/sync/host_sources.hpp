// SPDX-License-Identifier: BSD-3-Clause
// Who may speak to this appliance itself by a port. Pure.
#pragma once

#include <vector>

#include "common/base/prefix.hpp"
#include "control/policy/policy.hpp"
#include "control/sync/transaction.hpp"
#include "dataplane/decide/host_sources.hpp"

namespace sekisho::sync {

// Besides the sources of the zones that have it: the port's subnets and gateway, addresses of the link (a cloud's metadata),
// Azure's 168.63.129.16, BGP peers, what exceptions of the exit port lead to, and what the operator names. Sorted, each once.
[[nodiscard]] auto host_sources(const policy::Policy& policy, const config::Port& port,
                                const View::PortAddresses& addresses) -> std::vector<base::Prefix>;

// All of it, as the dataplane works it out.
[[nodiscard]] auto known_sources(const policy::Policy& policy, const View& view, const config::Port& port)
    -> decide::HostSources;

}  // namespace sekisho::sync
