#include "control/kernel/mirror.hpp"

#include <algorithm>

namespace sekisho::kernel {

const Link* Mirror::link(const std::string& name) const {
  const auto found =
      std::ranges::find_if(links, [&](const auto& entry) { return entry.second.name == name; });
  return found == links.end() ? nullptr : &found->second;
}

const Link* Mirror::link_of(const config::Port& port) const {
  const auto netdev = port.netdev();
  return netdev ? link(*netdev) : nullptr;
}

}  // namespace sekisho::kernel
