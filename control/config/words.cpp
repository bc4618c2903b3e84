// SPDX-License-Identifier: BSD-3-Clause
#include "control/config/words.hpp"

#include <fmt/format.h>
#include <net/if.h>

#include <algorithm>
#include <utility>

#include "common/base/mac_address.hpp"
#include "common/base/text.hpp"

namespace sekisho::config {
namespace {

constexpr std::string_view af_xdp = "af_xdp:";
constexpr std::string_view af_xdp_mac = "af_xdp:mac:";
constexpr std::string_view af_xdp_bus = "af_xdp:bus:";

constexpr bool is_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
}
constexpr bool is_hexadecimal(char c) {
  return (c >= '0' && c <= '9') || (base::lower(c) >= 'a' && base::lower(c) <= 'f');
}

// 'h' stands for a hexadecimal digit, everything else for itself.
bool matches(std::string_view text, std::string_view pattern) {
  return std::ranges::equal(text, pattern,
                            [](char c, char p) { return p == 'h' ? is_hexadecimal(c) : c == p; });
}

constexpr std::string_view pci_pattern = "hhhh:hh:hh.h";
constexpr std::string_view short_pci_pattern = "hh:hh.h";
constexpr std::string_view uuid_pattern = "hhhhhhhh-hhhh-hhhh-hhhh-hhhhhhhhhhhh";

// The bus address that a device begins with, or nothing.
auto bus_address(std::string_view device) -> std::string_view {
  constexpr std::string_view vmbus = "vmbus:";
  const auto name = device.substr(0, device.find(','));
  const bool is_vmbus = name.starts_with(vmbus) && matches(name.substr(vmbus.size()), uuid_pattern);
  return matches(name, pci_pattern) || is_vmbus ? name : std::string_view{};
}

// What the kernel calls a device on its bus: "0000:00:05.0", "f8615163-0001-1000-2000-000d3aaabbcc", "virtio3", "vif-0".
auto refuse_bus_name(std::string_view name) -> std::optional<std::string> {
  constexpr std::size_t longest = 63;
  const auto is_good = [](char c) {
    return is_name_character(base::lower(c)) || std::string_view{":._"}.find(c) != std::string_view::npos;
  };
  if (matches(name, short_pci_pattern))
    return fmt::format("{} is a PCI address without its domain; write \"{}0000:{}\"", base::in_quotes(name),
                       af_xdp_bus, name);
  if (name.starts_with("vmbus:"))
    return fmt::format("the address of a VMBus device is its UUID alone: write \"{}UUID\"", af_xdp_bus);
  if (name.empty() || name.size() > longest || !std::ranges::all_of(name, is_good))
    return fmt::format("{} is not a bus address, such as 0000:00:05.0", base::in_quotes(name));
  return std::nullopt;
}

// Device arguments and names are handed to DPDK as they are.
bool is_printable(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c >= ' ' && c < '\x7f'; });
}

}  // namespace

auto refuse_name(std::string_view name) -> std::optional<std::string> {
  constexpr std::size_t longest = 31;
  if (name.empty() || name.size() > longest || !std::ranges::all_of(name, is_name_character))
    return fmt::format("{} cannot be a name: 1 to {} of the characters a-z, 0-9 and -", base::in_quotes(name),
                       longest);
  return std::nullopt;
}

// What the kernel takes as the name of an interface (dev_valid_name).
auto refuse_netdev(std::string_view name) -> std::optional<std::string> {
  if (name.empty() || name.size() >= IFNAMSIZ)
    return fmt::format("the name of an interface has 1 to {} characters", IFNAMSIZ - 1);
  // The kernel would take some of these; nftables (a pattern, a quote) and DPDK's device arguments would not.
  const auto bad = [](char c) {
    return c <= ' ' || c >= '\x7f' || std::string_view{"/:*\"\\,=[]"}.find(c) != std::string_view::npos;
  };
  if (name == "." || name == ".." || std::ranges::any_of(name, bad))
    return fmt::format("{} cannot be the name of an interface", base::in_quotes(name));
  return std::nullopt;
}

auto refuse_device(std::string_view device) -> std::optional<std::string> {
  if (device.starts_with(af_xdp_mac)) {
    const auto mac = base::parse_mac(device.substr(af_xdp_mac.size()));
    return mac ? std::nullopt : std::optional{mac.error()};
  }
  if (device.starts_with(af_xdp_bus))
    return refuse_bus_name(device.substr(af_xdp_bus.size()));
  if (device.starts_with(af_xdp))
    return refuse_netdev(device.substr(af_xdp.size()));

  const auto name = device.substr(0, device.find(','));
  if (matches(name, short_pci_pattern))
    return fmt::format("{} is a PCI address without its domain; write \"0000:{}\"", base::in_quotes(name),
                       name);
  if (matches(name, uuid_pattern))
    return fmt::format("{} is the address of a VMBus device; write \"vmbus:{}\"", base::in_quotes(name),
                       name);
  if (name.starts_with("net_af_xdp"))
    return "an AF_XDP port is written \"af_xdp:NETDEV\": it needs the steering program that comes with it";
  constexpr std::size_t longest_name = 63;  // RTE_DEV_NAME_MAX_LEN with its NUL is 64
  constexpr std::size_t longest = 1023;
  const auto is_vdev_character = [](char c) { return (is_name_character(c) && c != '-') || c == '_'; };
  const bool is_vdev =
      name.starts_with("net_") && name.size() <= longest_name && std::ranges::all_of(name, is_vdev_character);
  if ((!is_vdev && bus_address(device).empty()) || device.size() > longest || !is_printable(device))
    return fmt::format(
        "{} is not a device: \"af_xdp:NETDEV\", a PCI address such as \"0000:00:04.0\", \"vmbus:UUID\", or a "
        "DPDK vdev string such as \"net_null0,no-rx=1\"",
        base::in_quotes(device));
  return std::nullopt;
}

auto normal_device(std::string device) -> std::string {
  const auto in_bus = std::string_view{device}.substr(std::min(device.size(), af_xdp_bus.size()));
  const bool is_all =
      device.starts_with(af_xdp_mac) ||
      (device.starts_with(af_xdp_bus) && (matches(in_bus, pci_pattern) || matches(in_bus, uuid_pattern)));
  const auto size = is_all ? device.size() : bus_address(device).size();
  std::transform(device.begin(), device.begin() + static_cast<std::ptrdiff_t>(size), device.begin(),
                 base::lower);
  return device;
}

}  // namespace sekisho::config
