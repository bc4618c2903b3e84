// SPDX-License-Identifier: BSD-3-Clause
#include "control/advertise/foreign.hpp"

#include <algorithm>
#include <array>
#include <sstream>
#include <string>

#include "control/advertise/frr_conf.hpp"

namespace sekisho::advertise {

bool is_foreign(std::string_view frr_conf) {
  if (frr_conf.find(marker) != std::string_view::npos) {
    return false;
  }
  constexpr std::array<std::string_view, 6> harmless{"!", "#", "log ", "frr ", "hostname ", "service "};
  std::istringstream lines{std::string{frr_conf}};
  for (std::string line; std::getline(lines, line);) {
    if (!line.empty() &&
        std::ranges::none_of(harmless, [&](std::string_view begin) { return line.starts_with(begin); })) {
      return true;
    }
  }
  return false;
}

}  // namespace sekisho::advertise
