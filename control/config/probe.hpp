// SPDX-License-Identifier: BSD-3-Clause
// How a next hop's members are asked whether they work: `probe = { type = "tcp", port = 443, ... }`.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace sekisho::config {

struct Probe {
  enum class Type : std::uint8_t { icmp, tcp, http };

  // Something beyond the member, to be reached by way of it.
  struct Target {
    std::string host;  // as written: an address or a name
    std::uint16_t port = 0;
    std::vector<std::uint32_t> addresses;  // of a name: none until it is resolved (config/resolve.hpp)
    friend bool operator==(const Target&, const Target&) = default;
  };

  Type type = Type::icmp;
  std::uint16_t port = 0;       // of the member; with `through`, and of icmp: 0
  std::vector<Target> through;  // alive if any answers; empty: the member itself is asked
  std::string path = "/";       // http
  unsigned status = 200;        // http
  std::chrono::milliseconds interval{500};
  std::chrono::milliseconds timeout{500};  // at most `interval`
  unsigned down_after = 3;                 // probes in a row without an answer
  unsigned up_after = 3;                   // answers in a row
  std::chrono::milliseconds hold{30'000};  // for which a member that comes back answers before it gets flows

  friend bool operator==(const Probe&, const Probe&) = default;
};

// How long a member that stops answering may keep its flows.
[[nodiscard]] inline auto longest_to_move(const Probe& probe) -> std::chrono::milliseconds {
  constexpr std::chrono::milliseconds to_tell_the_dataplane{50};
  return probe.down_after * probe.interval + probe.timeout + to_tell_the_dataplane;
}

// "tcp 443", "http 198.51.100.80:80 through it"
[[nodiscard]] auto to_string(const Probe& probe) -> std::string;

}  // namespace sekisho::config
