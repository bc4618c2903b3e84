// SPDX-License-Identifier: BSD-3-Clause
#include <array>

#include "control/config/reader.hpp"

namespace sekisho::config {
namespace {

constexpr std::array<Word<bool>, 2> passes{{{"drop", false}, {"ignore", true}}};
constexpr std::array<Word<OptionHandling>, 3> handlings{{
    {"fill", OptionHandling::fill},
    {"ignore", OptionHandling::ignore},
    {"drop", OptionHandling::drop},
}};

}  // namespace

void Reader::read_ip_options(const SingleTable& found) {
  const Section section{*found.table, found.line, "[ip_options]", problems_, keys::ip_options};
  auto& options = config_.ip_options;
  options.source_routes_pass = section.choice("source_route", passes).value_or(options.source_routes_pass);
  options.record_route = section.choice("record_route", handlings).value_or(options.record_route);
  options.timestamp = section.choice("timestamp", handlings).value_or(options.timestamp);
}

}  // namespace sekisho::config
