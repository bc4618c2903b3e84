// SPDX-License-Identifier: BSD-3-Clause
// What another policy would break that works at this moment: why a reload is refused unless it is forced. Pure.
//
// What does not work already is never a harm: the reload may be the rescue.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "control/policy/policy.hpp"
#include "control/sync/transaction.hpp"

namespace sekisho::sync {

struct Harm {
  enum class Kind : std::uint8_t { port_stops, next_hop_dies, exit_dies, table_empties, zone_goes };
  Kind kind = Kind::port_stops;
  std::string name;       // of the port, next hop or zone
  std::string sentence;   // "port lan would run no more: there is no interface lan9"
  bool may_heal = false;  // a member may still answer

  friend bool operator==(const Harm&, const Harm&) = default;
};

// What policies and views do not say.
struct Devices {
  std::set<std::string> running;  // ports that the dataplane runs now
  std::map<std::string, std::string>
      absent;  // ports of the new policy without a device, and why: "there is no interface lan9"
};

struct Standing {
  const policy::Policy& policy;
  const View& view;
};

[[nodiscard]] auto harms(const Standing& now, const Standing& then, const Devices& devices)
    -> std::vector<Harm>;

// "port lan would run no more: ...; next hop firewall ..."
[[nodiscard]] std::string to_string(const std::vector<Harm>& harms);

}  // namespace sekisho::sync
