// SPDX-License-Identifier: BSD-3-Clause
// Which link of the kernel is a port's.
//
//   by name  the interface of that name, or else the one that has it as an altname
//   by MAC   that was made with this address (a NIC keeps it whatever address it is given), or has it now (a bond, a veth)
//   by bus   whose device is called so there, as `ls -l /sys/class/net/NAME/device` shows it
//
// By MAC and by bus an interface does not count that is a slave (on Azure the VF and the netvsc above it have one address, and the
// netvsc is the port), that lies upon another which counts (a VLAN has its NIC's address), or that the dataplane made.
// Of two that are left neither is taken.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <functional>
#include <iterator>

#include "common/base/mac_address.hpp"
#include "control/config/addresses.hpp"
#include "control/netlink/mirror.hpp"

namespace sekisho::netlink {
namespace {

using Links = std::vector<const Link*>;

bool has_altname(const Link& link, std::string_view name) {
  return std::ranges::find(link.altnames, name) != link.altnames.end();
}

// The alias is the only mark that a TAP can have.
bool is_dataplanes(const Link& link) {
  return link.kind == "tun" && link.alias.starts_with("sekisho ");
}

// A veth's other end is no lower device.
bool lies_on_one_of(const Link& link, const Links& others) {
  return link.lower != 0 && link.kind != "veth" &&
         std::ranges::find(others, link.lower, &Link::index) != others.end();
}

auto the_one(const Mirror& mirror, const std::string& what, const std::function<bool(const Link&)>& is_it)
    -> tl::expected<const Link*, std::string> {
  Links all;
  for (const auto& [index, link] : mirror.links)
    if (is_it(link) && !is_dataplanes(link))
      all.push_back(&link);
  Links free;
  std::ranges::copy_if(all, std::back_inserter(free),
                       [&](const Link* link) { return link->master == 0 && !lies_on_one_of(*link, all); });
  if (free.size() == 1)
    return free.front();
  if (free.size() > 1) {
    std::vector<std::string_view> names;
    std::ranges::transform(free, std::back_inserter(names), &Link::name);
    return tl::unexpected(
        fmt::format("{} have the same {}: name the port otherwise", fmt::join(names, " and "), what));
  }
  const auto slave = std::ranges::find_if(all, [](const Link* link) { return link->master != 0; });
  if (slave == all.end())
    return tl::unexpected(fmt::format("no interface has {}", what));
  const auto master = mirror.links.find((*slave)->master);
  return tl::unexpected(fmt::format(
      "{} has {}, but is a slave of {}", (*slave)->name, what,
      master == mirror.links.end() ? fmt::format("link {}", (*slave)->master) : master->second.name));
}

auto by_name(const Mirror& mirror, const std::string& name) -> tl::expected<const Link*, std::string> {
  if (const Link* link = mirror.link(name))
    return link;
  const auto other =
      std::ranges::find_if(mirror.links, [&](const auto& entry) { return has_altname(entry.second, name); });
  if (other != mirror.links.end())
    return &other->second;
  return tl::unexpected(fmt::format("there is no interface {}", name));
}

auto named(const Mirror& mirror, const config::Port& port) -> tl::expected<const Link*, std::string> {
  const auto id = port.netdev_id();
  if (!id)
    return tl::unexpected(fmt::format("the kernel has no interface of port {}", port.name));
  switch (id->by) {
    case config::NetdevId::By::name:
      break;
    case config::NetdevId::By::mac: {
      const auto mac = base::parse_mac(id->text).value_or(base::MacAddress{});
      return the_one(mirror, fmt::format("MAC address {}", id->text),
                     [&](const Link& link) { return link.mac == mac || link.burned_mac == mac; });
    }
    case config::NetdevId::By::bus:
      return the_one(mirror, fmt::format("bus address {}", id->text), [&](const Link& link) {
        return std::ranges::find(link.bus, id->text) != link.bus.end();
      });
  }
  return by_name(mirror, std::string{id->text});
}

}  // namespace

auto Mirror::find_link_of(const config::Port& port) const -> tl::expected<const Link*, std::string> {
  if (const auto known = bound.find({port.name, port.device}); known != bound.end())
    if (const auto link = links.find(known->second); link != links.end())
      return &link->second;
  auto found = named(*this, port);
  // A name that went from one to another does not bring the interface of another port that runs. (One of the same device is
  // this port under an earlier name.)
  const auto taken = std::ranges::find_if(bound, [&](const auto& entry) {
    const auto& [name, device] = entry.first;
    return found && entry.second == (*found)->index && name != port.name && device != port.device;
  });
  if (taken != bound.end())
    return tl::unexpected(
        fmt::format("{} is the interface of port {} by now", (*found)->name, taken->first.first));
  return found;
}

const Link* Mirror::link_of(const config::Port& port) const {
  return find_link_of(port).value_or(nullptr);
}

}  // namespace sekisho::netlink
