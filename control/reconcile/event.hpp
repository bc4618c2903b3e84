// SPDX-License-Identifier: BSD-3-Clause
// What the reconciler is told: what has happened, and how the world is at that moment.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <tl/expected.hpp>
#include <variant>

#include "control/netlink/mirror.hpp"
#include "control/reach/liveness.hpp"
#include "control/reconcile/reading.hpp"
#include "control/route/learned.hpp"
#include "control/serve/backend.hpp"
#include "dataplane.pb.h"

namespace sekisho::reconcile {

using Time = std::chrono::steady_clock::time_point;

// All that the reconciler asks while it handles an event. It keeps no reference.
struct World {
  Time now;
  const netlink::Mirror& mirror;
  // False: it is a device of a bus of this machine ("0000:00:04.0", "vmbus:UUID"), and the bus has none of that name.
  const std::function<bool(const std::string& device)>& has_device;
};

// A request of an operator's. Each gets exactly one answer.
using Ticket = std::uint64_t;

namespace event {

// --- From inside.

struct Started {};        // the first of all
struct Turn {};           // the answer to Yield: whoever waited has had his turn
struct Tick {};           // the time that wakes_at() named has come
struct KernelChanged {};  // the mirror is another
struct Probed {           // what became of one that Probe asked for
  std::uint32_t member = 0;
  reach::Sample sample;
};
struct Learned {  // what the kernel's routes are by now
  std::shared_ptr<const route::Learned> learned;
};
struct GuardClosed {  // the answer to CloseGuard
  std::uint64_t number = 0;
  tl::expected<void, std::string> result;
};

// --- From the dataplane. Answers come only while it is connected: a connection that is lost answers everything.

struct Connected {};
struct Disconnected {
  std::string reason;
};
struct Claimed {  // the answer to Claim
  tl::expected<void, std::string> result;
  bool hangs = false;  // then an error is no refusal
};
struct StateTold {  // the answer to AskState
  tl::expected<ipc::State, std::string> state;
};
struct TransactionEnded {  // the answer to Transact
  tl::expected<ipc::Committed, std::string> result;
};
struct DataplaneSaid {
  ipc::Event event;
};

// --- From operators, once the files that they want have been read.

struct Reload {
  Ticket ticket = 0;
  bool force = false;  // also where it breaks what works
  Reading reading;
  bool is_trial = false;
};
struct Rehearse {
  Ticket ticket = 0;
  Reading reading;
};
struct ChangeRoutes {
  Ticket ticket = 0;
  serve::RouteRequest request;
};
struct DrainMembers {  // these and no others, until another of this kind
  sync::Drained drained;
};
struct ReadAgain {  // the answer to ReadFiles
  Reading reading;
};

}  // namespace event

using Event =
    std::variant<event::Started, event::Turn, event::Tick, event::KernelChanged, event::Probed,
                 event::Learned, event::GuardClosed, event::Connected, event::Disconnected, event::Claimed,
                 event::StateTold, event::TransactionEnded, event::DataplaneSaid, event::Reload,
                 event::Rehearse, event::ChangeRoutes, event::DrainMembers, event::ReadAgain>;

}  // namespace sekisho::reconcile
