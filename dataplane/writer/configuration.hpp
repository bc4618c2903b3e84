// SPDX-License-Identifier: BSD-3-Clause
// What the dataplane has been told to be, without its routes: the last committed transaction's, and the one
// that a transaction asks for. Comparable, so that a transaction changes only what differs.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/base/mac_address.hpp"
#include "common/base/prefix.hpp"
#include "dataplane/decide/answer.hpp"
#include "dataplane/nexthop/next_hop_table.hpp"
#include "dataplane/packet/options.hpp"
#include "dataplane/port/port.hpp"

namespace sekisho::writer {

struct AdjacencyId {
  std::string port;
  std::uint32_t address = 0;
  friend auto operator<=>(const AdjacencyId&, const AdjacencyId&) = default;
};

struct AdjacencySpec {
  std::optional<base::MacAddress> mac;
  bool alive = false;
  friend bool operator==(const AdjacencySpec&, const AdjacencySpec&) = default;
};

struct MemberSpec {
  AdjacencyId id;  // without a port: no port leads to it
  std::uint8_t weight = 1;
  bool drained = false;
  friend auto operator<=>(const MemberSpec&, const MemberSpec&) = default;
};

struct NextHopSpec {
  decide::Action action = decide::Action::forward;  // drop, host, exit, connected or forward
  std::vector<MemberSpec> members;                  // sorted: the order in which they were named says nothing
  packet::HashBy hash_by{};
  friend bool operator==(const NextHopSpec&, const NextHopSpec&) = default;
};

struct ZoneSpec {
  std::vector<std::string> ports;     // sorted
  std::vector<base::Prefix> sources;  // sorted
  friend bool operator==(const ZoneSpec&, const ZoneSpec&) = default;
};

struct Configuration {
  std::map<std::string, port::PortConfig> ports;
  std::map<AdjacencyId, AdjacencySpec> adjacencies;
  std::map<std::string, NextHopSpec> next_hops;
  std::map<std::string, ZoneSpec> zones;
  std::optional<std::string> exit;  // the port where replies to what left by it come in
  decide::IcmpPolicy icmp;
  packet::OptionPolicy options;
};

// "net_null0" of "net_null0,no-rx=1": what only one port can have.
[[nodiscard]] inline std::string device_name(const std::string& device) {
  return device.substr(0, device.find(','));
}

}  // namespace sekisho::writer
