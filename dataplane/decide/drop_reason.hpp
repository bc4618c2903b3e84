// SPDX-License-Identifier: BSD-3-Clause
// Why a packet died. A reason is one line here: its name (as counters, JSON and the CLI show it) and the
// sentence that an operator reads. Everything else (arrays, names) follows from the list.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace sekisho::decide {

// clang-format off
#define SEKISHO_DROP_REASONS(REASON)                                                                             \
  REASON(frame_too_short,       "the frame ends before an IPv4 header does")                                     \
  REASON(other_station,         "the frame is addressed to another station")                                     \
  REASON(bad_sender,            "the frame's sender is a group address or this port's own")                        \
  REASON(not_ipv4,              "the EtherType is neither IPv4, ARP nor IPv6")                                   \
  REASON(vlan_tagged,           "the frame has a VLAN tag, of another VID than 0, or a second tag")               \
  REASON(ipv6,                  "IPv6 is not forwarded")                                                         \
  REASON(bad_version,           "the IP version is not 4")                                                       \
  REASON(bad_header_length,     "the IPv4 header length is below 20 bytes or beyond the total length")           \
  REASON(bad_total_length,      "the IPv4 total length is more than what arrived")                               \
  REASON(bad_checksum,          "the IPv4 header checksum is wrong")                                             \
  REASON(martian_source,        "the source can be no sender (0/8, 127/8, 169.254/16, multicast, class E, this appliance, a subnet's broadcast)") \
  REASON(martian_destination,   "the destination can be no receiver (0/8, 127/8, 169.254/16, class E)")                      \
  REASON(link_broadcast,        "a unicast IPv4 packet in a broadcast or multicast frame")                       \
  REASON(multicast,             "multicast and broadcast are not routed")                                        \
  REASON(source_route,          "an IPv4 source-route option (RFC 7126)")                                        \
  REASON(obsolete_option,       "an IPv4 option that is obsolete (RFC 6814, RFC 7126)")                          \
  REASON(refused_option,        "an IPv4 option that [ip_options] refuses: record route or timestamp")           \
  REASON(bad_options,           "the IPv4 options cannot be parsed, or ask for what cannot be")                  \
  REASON(unknown_source,        "no zone has this source")                                                       \
  REASON(spoofed_source,        "the source belongs to a zone that this port may not carry")                     \
  REASON(no_route,              "no route of the zone's table covers the destination")                           \
  REASON(null_route,            "a route of type None covers the destination")                                   \
  REASON(next_hop_down,         "no member of the next hop is alive")                                            \
  REASON(neighbour_unresolved,  "the neighbour (the next hop's, or a destination on a port's subnet) has no MAC address")  \
  REASON(neighbour_queue_full,  "more packets wait for neighbours without a MAC address than are kept")          \
  REASON(ttl_expired,           "TTL 0 or 1")                                                                    \
  REASON(mtu_exceeded,          "longer than the egress port's MTU, and not to be fragmented")                   \
  REASON(no_buffer,             "no packet buffer was free for its fragments")                                   \
  REASON(no_host_companion,     "for this appliance, on a port that has no host companion")                      \
  REASON(no_exit,               "for the kernel to send out, and there is no exit")                              \
  REASON(host_full,             "for this appliance, whose kernel takes frames slower than they come")           \
  REASON(host_refused,          "for this appliance's kernel, which did not take it: its interface is down, say")  \
  REASON(transmit_full,         "the egress port's queue had no room")
// clang-format on

enum class DropReason : std::uint8_t {
#define REASON(name, sentence) name,
  SEKISHO_DROP_REASONS(REASON)
#undef REASON
};

struct DropReasonText {
  std::string_view name;
  std::string_view sentence;
};

inline constexpr auto drop_reason_texts = std::to_array<DropReasonText>({
#define REASON(name, sentence) {#name, sentence},
    SEKISHO_DROP_REASONS(REASON)
#undef REASON
});

inline constexpr std::size_t drop_reason_count = drop_reason_texts.size();

}  // namespace sekisho::decide
