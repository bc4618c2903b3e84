#include "control/kernel/interface_addresses.hpp"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>

#include <bit>
#include <memory>

namespace sekisho::kernel {
namespace {

auto ipv4_of(const sockaddr* address) -> std::uint32_t {
  return ntohl(reinterpret_cast<const sockaddr_in*>(address)->sin_addr.s_addr);
}

}  // namespace

auto interface_addresses(const std::string& netdev) -> std::optional<std::vector<config::InterfaceAddress>> {
  ifaddrs* first = nullptr;
  if (::if_nametoindex(netdev.c_str()) == 0 || ::getifaddrs(&first) != 0)
    return std::nullopt;
  const std::unique_ptr<ifaddrs, decltype(&::freeifaddrs)> owner{first, ::freeifaddrs};
  std::vector<config::InterfaceAddress> result;
  for (const auto* entry = first; entry != nullptr; entry = entry->ifa_next) {
    // An interface without any address stands in the list, too.
    if (netdev != entry->ifa_name || entry->ifa_addr == nullptr || entry->ifa_addr->sa_family != AF_INET)
      continue;
    result.push_back(
        {ipv4_of(entry->ifa_addr), static_cast<std::uint8_t>(std::popcount(ipv4_of(entry->ifa_netmask)))});
  }
  return result;
}

}  // namespace sekisho::kernel
