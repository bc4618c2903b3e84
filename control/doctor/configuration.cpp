// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include "control/doctor/checks.hpp"

namespace sekisho::doctor {

Findings check_configuration(const System& system) {
  const std::string name = "configuration";
  const auto check = fmt::format("sekisho check --config {}", system.file);
  if (system.configuration_error) {
    return {bad(name,
                fmt::format("{}; what depends on its ports is not examined", *system.configuration_error),
                check)};
  }
  if (system.ports.empty()) {
    return {bad(name, fmt::format("{} names no port, so nothing is forwarded", system.file),
                fmt::format("editor {} && {}", system.file, check))};
  }
  return {ok(name, fmt::format("{} is good and has {} port{}", system.file, system.ports.size(),
                               system.ports.size() == 1 ? "" : "s"))};
}

}  // namespace sekisho::doctor
