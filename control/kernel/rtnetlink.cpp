#include "control/kernel/rtnetlink.hpp"

#include <libmnl/libmnl.h>
#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <vector>

namespace sekisho::kernel::rtnetlink {
namespace {

std::uint32_t to_host(std::uint32_t big_endian) {
  return std::endian::native == std::endian::little ? __builtin_bswap32(big_endian) : big_endian;
}
std::uint32_t to_network(std::uint32_t address) {
  return to_host(address);
}

// Attributes by type; of a type that stands twice the last.
class Attributes {
 public:
  Attributes(const nlmsghdr& message, std::size_t header, std::size_t types) : by_type_(types) {
    const auto* attribute = static_cast<const nlattr*>(mnl_nlmsg_get_payload_offset(&message, header));
    const auto* end = static_cast<const char*>(mnl_nlmsg_get_payload_tail(&message));
    while (mnl_attr_ok(attribute, static_cast<int>(end - reinterpret_cast<const char*>(attribute)))) {
      if (const auto type = mnl_attr_get_type(attribute); type < types) {
        by_type_[type] = attribute;
      }
      attribute = mnl_attr_next(attribute);
    }
  }

  [[nodiscard]] std::optional<std::uint32_t> u32(std::size_t type) const {
    const nlattr* attribute = by_type_[type];
    if (attribute == nullptr || mnl_attr_get_payload_len(attribute) != sizeof(std::uint32_t)) {
      return std::nullopt;
    }
    return mnl_attr_get_u32(attribute);
  }
  [[nodiscard]] std::optional<std::uint32_t> address(std::size_t type) const {
    const auto value = u32(type);
    return value ? std::optional(to_host(*value)) : std::nullopt;
  }
  [[nodiscard]] std::optional<MacAddress> mac(std::size_t type) const {
    const nlattr* attribute = by_type_[type];
    MacAddress mac{};
    if (attribute == nullptr || mnl_attr_get_payload_len(attribute) != mac.size()) {
      return std::nullopt;
    }
    std::memcpy(mac.data(), mnl_attr_get_payload(attribute), mac.size());
    return mac;
  }
  [[nodiscard]] std::string string(std::size_t type) const {
    const nlattr* attribute = by_type_[type];
    if (attribute == nullptr) {
      return {};
    }
    const auto* text = static_cast<const char*>(mnl_attr_get_payload(attribute));
    return {text, strnlen(text, mnl_attr_get_payload_len(attribute))};
  }

 private:
  std::vector<const nlattr*> by_type_;
};

template <typename Header>
const Header* header(const nlmsghdr& message) {
  return mnl_nlmsg_get_payload_len(&message) >= sizeof(Header)
             ? static_cast<const Header*>(mnl_nlmsg_get_payload(&message))
             : nullptr;
}

const char* state_name(std::uint16_t state) {
  switch (state) {
    case NUD_NONE:
      return "NONE";
    case NUD_INCOMPLETE:
      return "INCOMPLETE";
    case NUD_REACHABLE:
      return "REACHABLE";
    case NUD_STALE:
      return "STALE";
    case NUD_DELAY:
      return "DELAY";
    case NUD_PROBE:
      return "PROBE";
    case NUD_FAILED:
      return "FAILED";
    case NUD_NOARP:
      return "NOARP";
    case NUD_PERMANENT:
      return "PERMANENT";
    default:
      return "UNKNOWN";
  }
}

// One station's address: neither all zero nor a group's (broadcast is a group's too).
bool is_unicast(const MacAddress& mac) {
  return (mac[0] & 1) == 0 && std::ranges::any_of(mac, [](std::uint8_t byte) { return byte != 0; });
}

}  // namespace

auto parse_link(const nlmsghdr& message) -> std::optional<LinkMessage> {
  const auto* info = header<ifinfomsg>(message);
  // A bridge sends messages of family AF_BRIDGE about its ports; they do not speak of the link itself.
  if (info == nullptr || info->ifi_family != AF_UNSPEC) {
    return std::nullopt;
  }
  const Attributes attributes(message, sizeof(ifinfomsg), IFLA_MTU + 1);
  LinkMessage result;
  result.gone = message.nlmsg_type == RTM_DELLINK;
  result.link.index = info->ifi_index;
  result.link.name = attributes.string(IFLA_IFNAME);
  result.link.up = (info->ifi_flags & IFF_UP) != 0 && (info->ifi_flags & IFF_LOWER_UP) != 0;
  result.link.mac = attributes.mac(IFLA_ADDRESS).value_or(MacAddress{});
  result.link.mtu = attributes.u32(IFLA_MTU).value_or(0);
  if (!result.gone && result.link.name.empty()) {
    return std::nullopt;
  }
  return result;
}

auto parse_address(const nlmsghdr& message) -> std::optional<AddressMessage> {
  const auto* info = header<ifaddrmsg>(message);
  if (info == nullptr || info->ifa_family != AF_INET) {
    return std::nullopt;
  }
  const Attributes attributes(message, sizeof(ifaddrmsg), IFA_LOCAL + 1);
  const auto subnet = attributes.address(IFA_ADDRESS);
  const auto local = attributes.address(IFA_LOCAL).has_value() ? attributes.address(IFA_LOCAL) : subnet;
  if (!local) {
    return std::nullopt;
  }
  AddressMessage result;
  result.gone = message.nlmsg_type == RTM_DELADDR;
  result.index = static_cast<int>(info->ifa_index);
  // With a peer (`ip address add LOCAL peer PEER/LENGTH`) the length is the peer's; our own address is alone.
  const bool has_peer = subnet && *subnet != *local;
  result.address = {*local, has_peer ? std::uint8_t{32} : info->ifa_prefixlen};
  return result;
}

auto parse_neighbour(const nlmsghdr& message) -> std::optional<NeighbourMessage> {
  const auto* info = header<ndmsg>(message);
  if (info == nullptr || info->ndm_family != AF_INET || (info->ndm_flags & NTF_PROXY) != 0) {
    return std::nullopt;
  }
  const Attributes attributes(message, sizeof(ndmsg), NDA_FLAGS_EXT + 1);
  const auto address = attributes.address(NDA_DST);
  if (!address) {
    return std::nullopt;
  }
  constexpr auto usable = NUD_REACHABLE | NUD_STALE | NUD_DELAY | NUD_PROBE | NUD_PERMANENT | NUD_NOARP;
  const auto mac = attributes.mac(NDA_LLADDR);
  NeighbourMessage result;
  result.gone = message.nlmsg_type == RTM_DELNEIGH;
  result.index = info->ndm_ifindex;
  result.address = *address;
  result.managed = (attributes.u32(NDA_FLAGS_EXT).value_or(0) & NTF_EXT_MANAGED) != 0;
  result.permanent = (info->ndm_state & (NUD_PERMANENT | NUD_NOARP)) != 0;
  result.neighbour.state = state_name(info->ndm_state);
  result.neighbour.usable = (info->ndm_state & usable) != 0 && mac && is_unicast(*mac);
  result.neighbour.mac = mac.value_or(MacAddress{});
  return result;
}

std::size_t write_dump(Buffer buffer, Dump what, std::uint32_t sequence) {
  nlmsghdr* message = mnl_nlmsg_put_header(buffer.data());
  message->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
  message->nlmsg_seq = sequence;
  switch (what) {
    case Dump::links:
      message->nlmsg_type = RTM_GETLINK;
      static_cast<ifinfomsg*>(mnl_nlmsg_put_extra_header(message, sizeof(ifinfomsg)))->ifi_family = AF_UNSPEC;
      break;
    case Dump::addresses:
      message->nlmsg_type = RTM_GETADDR;
      static_cast<ifaddrmsg*>(mnl_nlmsg_put_extra_header(message, sizeof(ifaddrmsg)))->ifa_family = AF_INET;
      break;
    case Dump::neighbours:
      message->nlmsg_type = RTM_GETNEIGH;
      static_cast<ndmsg*>(mnl_nlmsg_put_extra_header(message, sizeof(ndmsg)))->ndm_family = AF_INET;
      break;
  }
  return message->nlmsg_len;
}

std::size_t write_resolve(Buffer buffer, int index, std::uint32_t address, bool managed,
                          std::uint32_t sequence) {
  nlmsghdr* message = mnl_nlmsg_put_header(buffer.data());
  message->nlmsg_type = RTM_NEWNEIGH;
  message->nlmsg_flags =
      static_cast<std::uint16_t>(NLM_F_REQUEST | NLM_F_ACK | NLM_F_REPLACE | (managed ? NLM_F_CREATE : 0));
  message->nlmsg_seq = sequence;
  auto* info = static_cast<ndmsg*>(mnl_nlmsg_put_extra_header(message, sizeof(ndmsg)));
  info->ndm_family = AF_INET;
  info->ndm_ifindex = index;
  info->ndm_state = NUD_NONE;
  // A kernel before 5.16 does not look at NDA_FLAGS_EXT and does what NTF_USE says.
  info->ndm_flags = NTF_USE;
  mnl_attr_put_u32(message, NDA_DST, to_network(address));
  if (managed) {
    mnl_attr_put_u32(message, NDA_FLAGS_EXT, NTF_EXT_MANAGED);
  }
  return message->nlmsg_len;
}

}  // namespace sekisho::kernel::rtnetlink
