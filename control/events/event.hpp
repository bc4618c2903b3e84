// SPDX-License-Identifier: BSD-3-Clause
// Something that has changed about this appliance, as whoever follows it is told.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace sekisho::events {

using Json = nlohmann::ordered_json;

struct Event {
  std::string kind;      // "verdict", "member", "port", "link", "dataplane", "reload", "drain"
  std::string sentence;  // "firewall: member 10.0.2.10 is down: neighbour is FAILED"
  Json
      details{};  // members of the event's own, as to_json() has them: {"member": "10.0.2.10", "alive": false}
  std::uint64_t unix_ms = 0;

  friend bool operator==(const Event&, const Event&) = default;
};

inline constexpr std::string_view verdict_kind = "verdict";

// {"time": "2026-03-01T12:00:00.123Z", "event": "member", ..., "sentence": "..."}
[[nodiscard]] Json to_json(const Event& event);
// UTC, as RFC 3339 has it.
[[nodiscard]] std::string time_text(std::uint64_t unix_ms);

}  // namespace sekisho::events
