// SPDX-License-Identifier: BSD-3-Clause
#include "control/netlink/mirror.hpp"

#include <algorithm>

namespace sekisho::netlink {

const Link* Mirror::link(const std::string& name) const {
  const auto found =
      std::ranges::find_if(links, [&](const auto& entry) { return entry.second.name == name; });
  return found == links.end() ? nullptr : &found->second;
}

}  // namespace sekisho::netlink
