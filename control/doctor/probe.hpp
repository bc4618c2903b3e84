// SPDX-License-Identifier: BSD-3-Clause
// Reads the facts. Changes nothing, needs no root; what is not visible is left as unknown.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <tl/expected.hpp>

#include "control/doctor/system.hpp"

namespace sekisho::doctor {

// `control`: what sekisho-control answered; `cloud`: whose metadata server is asked, within two seconds. The dataplane's options are those of dataplane.env beside the configuration.
[[nodiscard]] System probe(const std::filesystem::path& configuration,
                           tl::expected<Control, std::string> control, std::optional<CloudKind> cloud);

}  // namespace sekisho::doctor
