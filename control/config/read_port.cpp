// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <algorithm>

#include "common/base/af_xdp_mtu.hpp"
#include "common/base/mac_address.hpp"
#include "common/base/prefix.hpp"
#include "common/base/text.hpp"
#include "control/config/addresses.hpp"
#include "control/config/reader.hpp"
#include "control/config/words.hpp"

namespace sekisho::config {
namespace {

constexpr std::size_t longest_netdev = 15;  // IFNAMSIZ with its NUL is 16

}  // namespace

void Reader::read_port(const NamedTable& named) {
  const Section section{*named.table, named.line, fmt::format("[port.{}]", named.name), problems_,
                        keys::port};
  Port port;
  port.name = named.name;
  port.line = named.line;
  read_device(section, port);
  if (const auto mtu = section.integer("mtu")) {
    const auto [least, most] = section.range("mtu");
    if (mtu->value < least || mtu->value > most)
      refuse(mtu->line, fmt::format("an MTU of {} is not between {} and {}", mtu->value, least, most));
    else
      port.mtu = static_cast<std::uint16_t>(mtu->value);
    if (port.is_af_xdp() && port.mtu > base::most_af_xdp_mtu)
      refuse(mtu->line, fmt::format("an MTU of {} is more than the {} that an AF_XDP port takes: write that "
                                    "or less, or give the NIC "
                                    "to DPDK",
                                    port.mtu, base::most_af_xdp_mtu));
  }
  read_mss_clamp(section, port);
  if (port.is_af_xdp()) {
    if (section.has("address"))
      refuse(section.line_of_key("address"),
             fmt::format("the kernel's addresses of {} are used; remove \"address\"", *port.netdev()));
    if (section.has("companion"))
      refuse(section.line_of_key("companion"),
             fmt::format("the kernel has this port as {}; remove \"companion\"", *port.netdev()));
  } else {
    read_addresses(section, port);
    read_companion(section, port);
  }
  if (!port.has_netdev())
    read_neighbours(section, port);
  else if (section.has("neighbours"))
    refuse(section.line_of_key("neighbours"),
           fmt::format("the kernel's neighbours of {} are used; remove \"neighbours\"", *port.netdev()));
  read_gateway(section, port);
  read_host_sources(section, port);
  if (const auto file = section.text("subnet_routes"))
    port.subnet_routes = resolve_file(*file, "subnet_routes");
  if (const auto table = section.text("subnet_table")) {
    port.subnet_table = table->value;
    if (port.subnet_routes.empty())
      refuse(table->line, "\"subnet_table\" names a table of \"subnet_routes\", and there is none");
  }
  if (const auto netdev = port.netdev()) {
    if (*netdev == exit_netdev)
      refuse(port.line,
             fmt::format("{} is the interface of next hop \"Internet\"", base::in_quotes(*netdev)));
    const auto [other, added] = netdevs_.try_emplace(*netdev, Owner{port.name, port.line});
    if (!added &&
        !(port.is_af_xdp() && devices_.at(port.device).name != port.name))  // said of the device already
      refuse(port.line,
             fmt::format("{} is the kernel's interface of port {} already ({})", base::in_quotes(*netdev),
                         other->second.name, place(port.line, other->second.line)));
  }
  config_.ports.push_back(std::move(port));
}

void Reader::read_device(const Section& section, Port& port) {
  const auto device = section.required_text("device");
  if (!device)
    return;
  if (const auto reason = refuse_device(device->value))
    return refuse(device->line, *reason);
  port.device = normal_device(device->value);
  // The arguments of a vdev do not tell two of the same name apart.
  const auto [other, added] =
      devices_.try_emplace(port.device.substr(0, port.device.find(',')), Owner{port.name, device->line});
  if (!added)
    refuse(device->line,
           fmt::format("{} is the device of port {} already ({})", base::in_quotes(other->first),
                       other->second.name, place(device->line, other->second.line)));
}

void Reader::read_addresses(const Section& section, Port& port) {
  for (const auto& text : section.texts("address")) {
    const auto address = parse_interface_address(text.value);
    if (!address) {
      refuse(text.line, address.error());
      continue;
    }
    for (const auto& [other, owner] : own_addresses_) {
      if (other.address == address->address)
        refuse(text.line, fmt::format("{} is an address of port {} already ({})",
                                      base::address_to_string(address->address), owner.name,
                                      place(text.line, owner.line)));
      else if (owner.name != port.name &&
               (subnet_of(other).covers(subnet_of(*address)) || subnet_of(*address).covers(subnet_of(other))))
        refuse(text.line,
               fmt::format("the subnet of {} overlaps with {} of port {} ({}): a neighbour would be on both",
                           to_string(*address), to_string(other), owner.name, place(text.line, owner.line)));
    }
    own_addresses_.emplace_back(*address, Owner{port.name, text.line});
    port.addresses.push_back(*address);
  }
}

void Reader::read_neighbours(const Section& section, Port& port) {
  const auto* entries = section.array("neighbours", "tables");
  if (entries == nullptr)
    return;
  for (const auto& entry : *entries) {
    const auto* table = entry.as_table();
    if (table == nullptr) {
      section.wrong_type(entry, "neighbours", "an array of tables only");
      continue;
    }
    const Section inner{*table, line_of(entry), "a neighbour", problems_, keys::neighbour};
    const auto address = inner.required_text("address");
    const auto mac = inner.required_text("mac");
    if (!address || !mac)
      continue;
    const auto host = parse_host(address->value);
    const auto bytes = base::parse_mac(mac->value);
    if (!host) {
      refuse(address->line, host.error());
    } else if (!bytes) {
      refuse(mac->line, bytes.error());
    } else if (std::ranges::none_of(port.addresses,
                                    [&](const auto& own) { return subnet_of(own).covers(*host); })) {
      refuse(address->line, fmt::format("{} is in no subnet of port {}", address->value, port.name));
    } else if (std::ranges::find(port.addresses, *host, &InterfaceAddress::address) != port.addresses.end()) {
      refuse(address->line, fmt::format("{} is port {}'s own address", address->value, port.name));
    } else if (std::ranges::find(port.neighbours, *host, &StaticNeighbour::address) !=
               port.neighbours.end()) {
      refuse(address->line, fmt::format("duplicate neighbour {}", address->value));
    } else {
      port.neighbours.push_back({*host, *bytes});
    }
  }
}

// A port with static neighbours is a software device of a test or a benchmark, which the kernel has no part in.
void Reader::read_companion(const Section& section, Port& port) {
  const auto* node = section.node("companion");
  if (node == nullptr) {
    if (!section.has("neighbours") && !port.device.empty())
      port.companion = fmt::format("sk-{}", port.name);
    if (port.companion.size() > longest_netdev)
      refuse(port.line,
             fmt::format("the kernel takes no interface of the name {}: give port {} a \"companion\" "
                         "of at most {} characters",
                         base::in_quotes(port.companion), port.name, longest_netdev));
    return;
  }
  const auto line = line_of(*node);
  if (const auto* wanted = node->as_boolean(); wanted != nullptr && !wanted->get())
    return;
  const auto* name = node->as_string();
  if (name == nullptr)
    return section.wrong_type(*node, "companion", "the name of an interface or false");
  if (const auto reason = refuse_netdev(name->get()))
    return refuse(line, *reason);
  port.companion = name->get();
}

void Reader::read_mss_clamp(const Section& section, Port& port) {
  const auto* node = section.node("mss_clamp");
  if (node == nullptr)
    return;
  const auto [least, most] = section.range("mss_clamp");
  if (const auto* word = node->as_string(); word != nullptr && word->get() == "auto")
    port.mss_clamp = 0;
  else if (const auto* bytes = node->as_integer(); bytes == nullptr)
    section.wrong_type(*node, "mss_clamp", "\"auto\" or a number of bytes");
  else if (bytes->get() < least || bytes->get() > most)
    refuse(line_of(*node),
           fmt::format("an mss_clamp of {} is not between {} and {}", bytes->get(), least, most));
  else
    port.mss_clamp = static_cast<std::uint16_t>(bytes->get());
}

void Reader::read_host_sources(const Section& section, Port& port) {
  for (const auto& text : section.texts("host_sources")) {
    const auto source = parse_source(text.value);
    if (!source)
      refuse(text.line, source.error());
    else if (std::ranges::find(port.host_sources, *source) != port.host_sources.end())
      refuse(text.line, fmt::format("duplicate source {}", text.value));
    else
      port.host_sources.push_back(*source);
  }
}

void Reader::read_gateway(const Section& section, Port& port) {
  const auto text = section.text("gateway");
  if (!text)
    return;
  const auto gateway = parse_host(text->value);
  // With /32 addresses (Google's) a gateway is in no subnet.
  const auto is_near = [&](const InterfaceAddress& own) {
    return own.length == 32 || subnet_of(own).covers(*gateway);
  };
  if (!gateway)
    refuse(text->line, gateway.error());
  else if (!port.has_netdev())
    refuse(text->line,
           fmt::format("a gateway is the kernel's, and the kernel has no interface of port {}", port.name));
  else if (std::ranges::find(port.addresses, *gateway, &InterfaceAddress::address) != port.addresses.end())
    refuse(text->line, fmt::format("{} is port {}'s own address", text->value, port.name));
  else if (!port.is_af_xdp() && std::ranges::none_of(port.addresses, is_near))
    refuse(text->line, fmt::format("{} is in no subnet of port {}", text->value, port.name));
  else
    port.gateway = *gateway;
}

}  // namespace sekisho::config
