// SPDX-License-Identifier: BSD-3-Clause
// Terraform's and OpenTofu's JSON: the state (`terraform state pull`, a terraform.tfstate of version 4) and what `terraform
// show -json` prints of a state or of a plan. Read are azurerm_route_table with its inline routes, and azurerm_route. What a
// plan does not know before it is applied is left out, and a finding of Severity::error names it. A plan's tables list
// what the provider has read before: what the plan deletes, or has as an azurerm_route, is not read from there. Tables
// that it reads from Azure are in its prior state.
#pragma once

#include "control/formats/format.hpp"

namespace sekisho::formats {

[[nodiscard]] bool holds_terraform(const Content& content);
[[nodiscard]] auto read_terraform(const Content& content, const Options& options) -> Reading;

}  // namespace sekisho::formats
