// SPDX-License-Identifier: BSD-3-Clause
// Everything that control and the dataplane count, as metrics. Pure: from what control knows to the text.
//
// What only the dataplane knows is absent while it is not connected (a port that may run is not said to be down);
// sekisho_dataplane_connected says so.
#pragma once

#include <cstdint>
#include <string>

#include "control/metrics/guard.hpp"
#include "control/metrics/text.hpp"
#include "control/netlink/netlink.hpp"
#include "control/policy/policy.hpp"
#include "control/reach/members.hpp"
#include "control/serve/show.hpp"

namespace sekisho::metrics {

// What became of the configuration since control started; the start itself is a reading that succeeded.
struct Reloads {
  std::uint64_t succeeded = 0;
  std::uint64_t failed = 0;
  bool last_succeeded = true;
  std::string refusal{};  // why the last was refused; empty: it was not
  std::uint64_t last_success_unix_ms = 0;
};

struct Known {
  const policy::Policy& policy;
  const netlink::Mirror& mirror;
  const serve::Live& live;
  std::uint64_t started_unix_ms = 0;  // control
  Reloads reloads;
  std::vector<serve::Problem> problems{};  // what is wrong
  bool is_draining = false;
  const Guarding* guarding = nullptr;      // null: nobody asked
  std::vector<reach::Member> members{};    // as control sees them
  const advertise::Status* bgp = nullptr;  // null: no peers are configured
};

[[nodiscard]] std::string exposition(const Known& known, Format format);

}  // namespace sekisho::metrics
