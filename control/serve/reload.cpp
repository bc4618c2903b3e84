// SPDX-License-Identifier: BSD-3-Clause
#include "control/serve/reload.hpp"

namespace sekisho::serve {

Json reload_json(const Reloaded& reloaded) {
  const auto& committed = reloaded.committed;
  auto failed = Json::array();
  for (const auto& port : committed.failed_ports()) {
    failed.push_back({{"name", port.name()}, {"device", port.device()}, {"error", port.error()}});
  }
  return {{"applied", reloaded.applied},
          {"transaction", reloaded.applied ? Json(committed.transaction()) : Json(nullptr)},
          {"ports_changed", committed.ports_changed()},
          {"next_hops_changed", committed.next_hops_changed()},
          {"adjacencies_changed", committed.adjacencies_changed()},
          {"zones_changed", committed.zones_changed()},
          {"routes_added", committed.routes_added()},
          {"routes_changed", committed.routes_changed()},
          {"routes_removed", committed.routes_removed()},
          {"failed_ports", std::move(failed)},
          {"overrides_dropped", reloaded.overrides_dropped},
          {"warnings", reloaded.warnings}};
}

}  // namespace sekisho::serve
