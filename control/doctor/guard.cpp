#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "control/doctor/checks.hpp"

namespace sekisho::doctor {

Findings check_guard(const System& system) {
  const std::string name = "guard";
  const auto mend = fmt::format("sekisho guard on --config {}", system.file);
  if (!system.guard && !system.root) {
    return {warning(name, "the nftables rules cannot be seen without root", "sudo sekisho doctor")};
  }
  if (!system.guard) {
    return {bad(name, system.guard.error(), mend)};
  }
  std::vector<std::string> open;
  for (const auto& interface : system.to_guard) {
    if (std::ranges::find(*system.guard, interface) == system.guard->end()) {
      open.push_back(interface);
    }
  }
  if (!open.empty()) {
    return {bad(name, fmt::format("the guard does not cover {}", fmt::join(open, ", ")), mend)};
  }
  return {ok(name, "the guard is there and covers every port")};
}

}  // namespace sekisho::doctor
