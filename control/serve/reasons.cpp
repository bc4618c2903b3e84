// SPDX-License-Identifier: BSD-3-Clause
#include "control/serve/reasons.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "common/base/special_address.hpp"
#include "dataplane/decide/answer.hpp"
#include "dataplane/decide/drop_reason.hpp"

namespace sekisho::serve {
namespace {

constexpr auto names = [] {
  std::array<std::string_view, decide::drop_reason_count> result;
  std::transform(decide::drop_reason_texts.begin(), decide::drop_reason_texts.end(), result.begin(),
                 [](const decide::DropReasonText& text) { return text.name; });
  return result;
}();

// The steering program is the kernel's and carries no sentences; its counters' names are in dataplane/steer.
constexpr auto steering_texts = std::to_array<std::pair<std::string_view, std::string_view>>({
    {"dropped_not_ready", "no dataplane was ready for this port: starting, reopening it, or stopped"},
    {"dropped_no_socket", "no dataplane was there to take it: it had died"},
    {"dropped_ipv6", "IPv6 is not forwarded"},
    {"dropped_other", "the EtherType is neither IPv4, ARP nor IPv6"},
    {"dropped_short", "the frame ends before an Ethernet header does"},
    {"dropped_bad_sender", "the frame's sender is a group address or this port's own"},
    {"dropped_unknown_source",
     "for this appliance, from a source that no zone, subnet or host_sources of this port has"},
    {"dropped_spoofed_source", "for this appliance, from a source of a zone that this port may not carry"},
    {"dropped_martian_source",
     "for this appliance, from a source that can be no sender (this appliance itself, say)"},
    {"dropped_vlan_tagged", "the frame has a VLAN tag, of another VID than 0, or a second tag"},
    {"missed", "the device or its socket had no room"},
});

}  // namespace

std::span<const std::string_view> dataplane_reasons() noexcept {
  return names;
}

std::span<const std::string_view> icmp_errors() noexcept {
  static constexpr auto names_of_errors = [] {
    std::array<std::string_view, packet::icmp_error_count> result;
    std::ranges::transform(packet::icmp_error_texts, result.begin(), &packet::IcmpErrorText::name);
    return result;
  }();
  return names_of_errors;
}

std::string_view sentence_of(std::string_view reason) noexcept {
  for (const auto& text : decide::drop_reason_texts) {
    if (text.name == reason) {
      return text.sentence;
    }
  }
  for (const auto& [name, sentence] : steering_texts) {
    if (name == reason) {
      return sentence;
    }
  }
  return {};
}

std::string_view reason_before_tables(std::uint32_t destination) noexcept {
  constexpr std::uint32_t somebody = 0x0101'0101;
  switch (base::check_addresses(somebody, destination)) {
    case base::AddressFault::martian_destination:
      return "martian_destination";
    case base::AddressFault::multicast:
      return "multicast";
    default:
      return {};
  }
}

SteerVerdict steer_verdict(std::string_view counter) noexcept {
  // A name that is neither is counted as dropped: nobody else speaks for those packets.
  return counter.starts_with("redirected") ? SteerVerdict::redirected
         : counter.starts_with("passed_")  ? SteerVerdict::passed
                                           : SteerVerdict::dropped;
}

}  // namespace sekisho::serve
