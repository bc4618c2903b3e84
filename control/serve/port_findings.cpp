// SPDX-License-Identifier: BSD-3-Clause
#include "control/serve/port_findings.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace sekisho::serve {
namespace {

bool is_named_as_configured(const config::Port& port, const netlink::Link& link) {
  const auto id = port.netdev_id();
  return id->by != config::NetdevId::By::name || link.name == id->text ||
         std::ranges::find(link.altnames, id->text) != link.altnames.end();
}

}  // namespace

auto port_findings(const config::Port& port, const netlink::Mirror& mirror, const ipc::PortState* state)
    -> std::vector<std::string> {
  std::vector<std::string> result;
  if (state != nullptr && state->unfinished_checksums()) {
    result.push_back(fmt::format(
        "port {}: packets come whose TCP or UDP checksum nobody has finished, and their receivers drop them: "
        "their sender leaves it to "
        "a NIC that is not there (veth, TAP, virtio); on the sender's interface: ethtool -K INTERFACE tx off",
        port.name));
  }
  if (!port.is_af_xdp()) {
    return result;
  }
  const auto link = mirror.find_link_of(port);
  if (!link) {
    result.push_back(fmt::format("port {}: {}", port.name, link.error()));
    return result;
  }
  if (!is_named_as_configured(port, **link)) {
    result.push_back(
        fmt::format("port {}: the configuration says {}, the kernel calls it {}; after a restart of the "
                    "machine it would not be found",
                    port.name, *port.netdev(), (*link)->name));
  }
  if (state != nullptr && state->running() && state->mtu() < (*link)->mtu && port.mtu == 0) {
    result.push_back(fmt::format(
        "port {}: {} has an MTU of {}, and packet buffers take no more than {}: what is longer is dropped "
        "(sekisho-dataplane --mtu, up to 3498)",
        port.name, (*link)->name, (*link)->mtu, state->mtu()));
  }
  return result;
}

}  // namespace sekisho::serve
