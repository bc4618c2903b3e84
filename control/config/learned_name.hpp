// SPDX-License-Identifier: BSD-3-Clause
// Names of next hops that are made for what is learned: no other one is called so.
#pragma once

#include <algorithm>
#include <string>

#include "common/base/prefix.hpp"
#include "control/config/config.hpp"

namespace sekisho::config {

// "bgp-10-0-1-1", and with several members "bgp-10-0-1-1-3f2a9c1d" (policy/learned.cpp).
inline bool is_learned_name(const std::string& name) {
  if (!name.starts_with(learned_next_hop))
    return false;
  auto address = name.substr(learned_next_hop.size());
  std::ranges::replace(address, '-', '.');
  std::size_t end = 0;
  for (int part = 0; part < 4 && end != std::string::npos; ++part)
    end = address.find('.', end + (part == 0 ? 0 : 1));
  return base::parse_address(address.substr(0, end)).has_value();
}

}  // namespace sekisho::config
