// SPDX-License-Identifier: BSD-3-Clause
// Changes as a test wants to write them.
#pragma once

#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "common/base/prefix.hpp"
#include "dataplane.pb.h"

namespace sekisho::writer::test {

inline std::uint32_t ip(std::string_view text) {
  return base::parse_address(text).value();
}

// The schema in protobuf's text format; @a.b.c.d stands for an address.
inline ipc::Change parse(std::string text) {
  for (auto at = text.find('@'); at != std::string::npos; at = text.find('@')) {
    const auto end = text.find_first_not_of("0123456789.", at + 1);
    text.replace(at, end - at, std::to_string(ip(std::string_view{text}.substr(at + 1, end - at - 1))));
  }
  ipc::Change change;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &change)) << text;
  return change;
}

inline void add_route(ipc::Routes& routes, std::string_view prefix, const std::string& next_hop) {
  const auto parsed = base::parse_prefix(prefix).value();
  routes.add_address(parsed.address);
  routes.mutable_length()->push_back(static_cast<char>(parsed.length));
  if (next_hop.empty()) {
    return;
  }
  routes.add_next_hop(static_cast<std::uint32_t>(routes.next_hop_names_size()));
  routes.add_next_hop_names(next_hop);
}

struct NamedRoute {
  std::string_view prefix;
  std::string next_hop;
};

inline ipc::Change routes(const std::string& zone, std::initializer_list<NamedRoute> all) {
  ipc::Change change;
  auto& list = *change.add_routes();
  list.set_zone(zone);
  for (const auto& [prefix, next_hop] : all) {
    add_route(list, prefix, next_hop);
  }
  return change;
}

inline ipc::Change withdraw(const std::string& zone, std::initializer_list<std::string_view> prefixes) {
  ipc::Change change;
  auto& list = *change.add_withdraw();
  list.set_zone(zone);
  for (const auto prefix : prefixes) {
    add_route(list, prefix, "");
  }
  return change;
}

}  // namespace sekisho::writer::test
