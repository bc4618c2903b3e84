#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>
#include <set>

#include "control/sync/transaction.hpp"

namespace sekisho::sync {
namespace {

// A companion is the dataplane's own: when that makes it anew, the port is no other.
std::string instance_of(const config::Port& port, const kernel::Mirror& mirror) {
  const auto netdev = port.netdev();
  const kernel::Link* link = port.is_af_xdp() ? mirror.link(*netdev) : nullptr;
  return link == nullptr ? std::string{} : fmt::format("{} {:02x}", link->index, fmt::join(link->mac, ":"));
}

}  // namespace

auto view(const config::Config& config, const kernel::Mirror& mirror, const egress::Inherited& inherited)
    -> View {
  View view;
  view.members = egress::members(config, mirror, inherited);
  std::set<std::uint32_t> unicast;
  for (const auto& port : config.ports) {
    view.ports.push_back({port.name, instance_of(port, mirror), egress::local_addresses(port, mirror)});
    std::ranges::copy(egress::unicast_addresses(port, mirror), std::inserter(unicast, unicast.end()));
  }
  view.unicast.assign(unicast.begin(), unicast.end());
  view.exit = egress::exit(config, mirror);
  return view;
}

}  // namespace sekisho::sync
