// SPDX-License-Identifier: BSD-3-Clause
#include "control/sync/icmp.hpp"

#include <optional>

namespace sekisho::sync {
namespace {

using decide::DropReason;
using packet::IcmpError;

std::optional<IcmpError> error_of(config::IcmpAnswer answer) {
  switch (answer) {
    case config::IcmpAnswer::net_unreachable:
      return IcmpError::net_unreachable;
    case config::IcmpAnswer::host_unreachable:
      return IcmpError::host_unreachable;
    case config::IcmpAnswer::prohibited:
      return IcmpError::prohibited;
    case config::IcmpAnswer::none:
      break;
  }
  return std::nullopt;
}

}  // namespace

auto icmp_policy(const policy::Policy& configured) -> decide::IcmpPolicy {
  const auto& icmp = configured.config.icmp;
  decide::IcmpPolicy policy;
  policy.limits = {
      .rate = icmp.rate, .rate_per_source = icmp.rate_per_source, .source_length = icmp.source_prefix};
  if (!icmp.errors) {
    return policy;
  }
  // RFC 1812, 5.3.1: "if the TTL is reduced to zero [...] the router MUST send an ICMP Time Exceeded message, Code 0".
  policy.set(DropReason::ttl_expired, IcmpError::time_exceeded);
  policy.set(DropReason::mtu_exceeded, IcmpError::fragmentation_needed);
  // RFC 1812, 4.3.3.5: "A router MUST generate a Parameter Problem message for any error not specifically covered by another ICMP message."
  policy.set(DropReason::bad_options, IcmpError::parameter_problem);
  policy.set(DropReason::null_route, error_of(icmp.null_route));
  policy.set(DropReason::no_route, error_of(icmp.no_route));
  policy.set(DropReason::next_hop_down, error_of(icmp.next_hop_down));
  // RFC 1812, 4.3.3.1: of a directly connected network, where "the router has ascertained that there is no path to the destination
  // host then the router MUST generate a Destination Unreachable, Code 1 (Host Unreachable)".
  policy.set(DropReason::neighbour_unresolved, error_of(icmp.no_neighbour));
  policy.set(DropReason::no_exit, error_of(icmp.next_hop_down));
  policy.set(DropReason::unknown_source, error_of(icmp.refused_source));
  policy.set(DropReason::spoofed_source, error_of(icmp.refused_source));
  return policy;
}

auto icmp_message(const decide::IcmpPolicy& policy) -> ipc::Icmp {
  ipc::Icmp message;
  message.set_rate(policy.limits.rate);
  message.set_rate_per_source(policy.limits.rate_per_source);
  message.set_source_length(policy.limits.source_length);
  for (std::size_t reason = 0; reason < policy.answers.size(); ++reason) {
    if (const auto error = policy.answers[reason]) {
      auto& answer = *message.add_answers();
      answer.set_drop_reason(std::string{decide::drop_reason_texts[reason].name});
      answer.set_error(std::string{packet::text_of(*error).name});
    }
  }
  return message;
}

}  // namespace sekisho::sync
