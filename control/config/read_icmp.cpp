// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <array>
#include <cstdint>
#include <string_view>

#include "control/config/reader.hpp"

namespace sekisho::config {
namespace {

constexpr std::array<Word<IcmpAnswer>, 4> answers{{
    {"none", IcmpAnswer::none},
    {"net-unreachable", IcmpAnswer::net_unreachable},
    {"host-unreachable", IcmpAnswer::host_unreachable},
    {"prohibited", IcmpAnswer::prohibited},
}};

}  // namespace

void Reader::read_icmp(const SingleTable& found) {
  const Section section{*found.table, found.line, "[icmp]", problems_, keys::icmp};
  auto& icmp = config_.icmp;
  if (const auto errors = section.boolean("errors"))
    icmp.errors = errors->value;
  icmp.null_route = section.choice("null_route", answers).value_or(icmp.null_route);
  icmp.no_route = section.choice("no_route", answers).value_or(icmp.no_route);
  icmp.next_hop_down = section.choice("next_hop_down", answers).value_or(icmp.next_hop_down);
  icmp.no_neighbour = section.choice("no_neighbour", answers).value_or(icmp.no_neighbour);
  icmp.refused_source = section.choice("refused_source", answers).value_or(icmp.refused_source);
  const auto number = [&](std::string_view key, auto& into) {
    const auto value = section.integer(key);
    const auto [least, most] = section.range(key);
    if (value && (value->value < least || value->value > most))
      refuse(value->line, fmt::format("{} of {} is not between {} and {}", key, value->value, least, most));
    else if (value)
      into = static_cast<std::remove_reference_t<decltype(into)>>(value->value);
  };
  number("rate", icmp.rate);
  number("rate_per_source", icmp.rate_per_source);
  number("source_prefix", icmp.source_prefix);
}

}  // namespace sekisho::config
