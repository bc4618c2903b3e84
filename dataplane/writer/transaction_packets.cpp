// SPDX-License-Identifier: BSD-3-Clause
// Of a transaction what is said about packets whatever their way: who is told that one goes no further, and what becomes of IPv4 options.
#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "dataplane/writer/transaction.hpp"

namespace sekisho::writer {
namespace {

std::optional<packet::OptionHandling> handling_of(ipc::IpOptions::Handling handling) {
  switch (handling) {
    case ipc::IpOptions::FILL:
      return packet::OptionHandling::fill;
    case ipc::IpOptions::IGNORE:
      return packet::OptionHandling::ignore;
    case ipc::IpOptions::REFUSE:
      return packet::OptionHandling::refuse;
    default:
      return std::nullopt;
  }
}

}  // namespace

auto Transaction::add_icmp(const ipc::Change& change) -> Result {
  if (!change.has_icmp()) {
    return {};
  }
  const auto& icmp = change.icmp();
  if (icmp.source_length() > 32) {
    return tl::unexpected(fmt::format("icmp: a prefix length of {} is more than 32", icmp.source_length()));
  }
  decide::IcmpPolicy policy;
  policy.limits = {.rate = icmp.rate(),
                   .rate_per_source = icmp.rate_per_source(),
                   .source_length = static_cast<std::uint8_t>(icmp.source_length())};
  for (const auto& answer : icmp.answers()) {
    const auto reason =
        std::ranges::find(decide::drop_reason_texts, answer.drop_reason(), &decide::DropReasonText::name);
    const auto error =
        std::ranges::find(packet::icmp_error_texts, answer.error(), &packet::IcmpErrorText::name);
    if (reason == decide::drop_reason_texts.end() || error == packet::icmp_error_texts.end()) {
      return tl::unexpected(
          fmt::format("icmp: there is no answer {} to {}", answer.error(), answer.drop_reason()));
    }
    const auto of = decide::DropReason(reason - decide::drop_reason_texts.begin());
    if (!decide::can_be_answered(of)) {
      return tl::unexpected(fmt::format("icmp: nobody can be told of {}", answer.drop_reason()));
    }
    policy.set(of, packet::IcmpError(error - packet::icmp_error_texts.begin()));
  }
  target_.configuration.icmp = policy;
  return {};
}

auto Transaction::add_options(const ipc::Change& change) -> Result {
  if (!change.has_ip_options()) {
    return {};
  }
  const auto& options = change.ip_options();
  const auto record_route = handling_of(options.record_route());
  const auto timestamp = handling_of(options.timestamp());
  if (!record_route || !timestamp) {
    return tl::unexpected(fmt::format("ip_options: a handling is neither FILL, IGNORE nor REFUSE"));
  }
  target_.configuration.options = {.source_routes_pass = options.source_routes_pass(),
                                   .record_route = *record_route,
                                   .timestamp = *timestamp};
  return {};
}

}  // namespace sekisho::writer
