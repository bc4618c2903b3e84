// SPDX-License-Identifier: BSD-3-Clause
// Ports stay with the links that they run on: across renames, restarts of the dataplane, and restarts of this control, which
// asks the dataplane what runs. Pure.
#pragma once

#include <map>
#include <string>

#include "control/config/config.hpp"
#include "control/netlink/mirror.hpp"
#include "control/sync/transaction.hpp"
#include "dataplane.pb.h"

namespace sekisho::reconcile {

// What the dataplane has committed, it runs, but for what failed.
[[nodiscard]] auto bindings_of(const config::Config& config, const sync::View& told,
                               const std::map<std::string, std::string>& failed_ports,
                               const netlink::Mirror& mirror) -> netlink::Mirror::Bindings;
// What an earlier control has told it.
[[nodiscard]] auto bindings_of(const ipc::State& state, const netlink::Mirror& mirror)
    -> netlink::Mirror::Bindings;
[[nodiscard]] auto returns_of(const ipc::State& state) -> std::map<int, unsigned>;

// Whether a port runs on another link than the one that its device names now.
[[nodiscard]] bool is_moved(const config::Config& config, const netlink::Mirror::Bindings& bound,
                            const netlink::Mirror& mirror);

}  // namespace sekisho::reconcile
