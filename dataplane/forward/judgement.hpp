// SPDX-License-Identifier: BSD-3-Clause
// What a worker has found about one packet, and what became of it: what `sekisho trace` shows.
#pragma once

#include <cstdint>
#include <optional>

#include "dataplane/forward/forwarding_state.hpp"
#include "dataplane/packet/icmp_error.hpp"

namespace sekisho::forward {

struct Judgement {
  // The last stage that had it (stages.hpp); `waiting`: what has waited for its neighbour, and was judged anew.
  enum class Stage : std::uint8_t { validate, admit, resolve, transmit, waiting };
  enum class Fate : std::uint8_t {
    undecided,
    forwarded,
    in_fragments,
    to_kernel,
    to_exit,
    to_exit_in_fragments,
    waits,  // for its neighbour's address
    dropped,
  };

  Stage stage = Stage::validate;
  Fate fate = Fate::undecided;
  DropReason reason{};                    // of one that was dropped
  bool generated = false;                 // by this appliance's kernel
  std::optional<packet::IcmpError> told;  // what its sender is
  // As far as it came. Of a zone or next hop that is none, as the tables give them.
  std::optional<ZoneIndex> zone;
  std::optional<NextHopIndex> next_hop;
  std::optional<nexthop::AdjacencyIndex> member;
};

}  // namespace sekisho::forward
