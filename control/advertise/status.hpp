// SPDX-License-Identifier: BSD-3-Clause
// How it stands with BGP: what is to be advertised, and what FRR said when it was asked last.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/base/prefix.hpp"
#include "control/config/config.hpp"
#include "control/frr/vtysh.hpp"

namespace sekisho::advertise {

struct Session {
  config::BgpPeer peer;
  std::string state;  // FRR's word; "not configured in FRR"
  bool is_established = false;
  std::uint64_t since_unix_ms = 0;  // it is; 0: not known
  std::uint64_t received = 0;       // prefixes
  std::uint64_t sent = 0;
  std::vector<base::Prefix> advertised;  // what this peer was told; none where it was told too much to list
};

struct Counts {
  std::uint64_t announced = 0;  // how often FRR was told to
  std::uint64_t withdrawn = 0;
  std::uint64_t failed = 0;  // questions and orders
};

struct Status {
  std::uint32_t asn = 0;
  std::string instance;                  // of FRR
  std::vector<base::Prefix> prefixes;    // what is advertised while something is forwarded
  bool is_wanted = false;                // now
  std::vector<std::string> why_not;      // it is not
  std::uint64_t asked_unix_ms = 0;       // when FRR answered last; 0: never
  std::optional<frr::Failure> failure;   // of the last question or order; what follows is then from before
  std::string version;                   // FRR's
  std::vector<base::Prefix> originated;  // of `prefixes`, those that FRR originates
  std::uint64_t changed_unix_ms = 0;     // when that became so, by our own doing; 0: it was so
  bool is_settled = false;        // FRR has answered since something changed; else it is being told, or asked
  std::vector<Session> sessions;  // one a configured peer
  Counts counts;

  [[nodiscard]] bool agrees() const {
    return originated == (is_wanted ? prefixes : std::vector<base::Prefix>{});
  }
};

}  // namespace sekisho::advertise
