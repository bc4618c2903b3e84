// SPDX-License-Identifier: BSD-3-Clause
// A reload that is asked for, and what it changed, as JSON.
#pragma once

#include "control/serve/backend.hpp"
#include "control/serve/json.hpp"

namespace sekisho::serve {

struct ReloadRequest {
  bool is_dry_run = false;
  ReloadOrder order;
  Rehearsal rehearsal;  // of a dry run
};

// {"dry_run": false, "force": false, "policy": 17, "confirm_seconds": 60}, or {"dry_run": true, "config": "/etc/sekisho/new.toml"}
[[nodiscard]] auto read_reload(const Json& request) -> tl::expected<ReloadRequest, std::string>;

[[nodiscard]] Json reload_json(const Reloaded& reloaded);

}  // namespace sekisho::serve
