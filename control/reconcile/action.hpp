// SPDX-License-Identifier: BSD-3-Clause
// What the reconciler wants done. Whoever carries actions out keeps their order, and answers with the event that each names.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <tl/expected.hpp>
#include <variant>
#include <vector>

#include "control/guard/guard.hpp"
#include "control/netlink/mirror.hpp"
#include "control/netlink/wanted.hpp"
#include "control/policy/policy.hpp"
#include "control/reach/probing.hpp"
#include "control/reconcile/event.hpp"
#include "control/serve/backend.hpp"
#include "dataplane.pb.h"

namespace sekisho::reconcile {

namespace action {

enum class Level : std::uint8_t { debug, info, warning, error };
struct Say {  // in the log
  Level level = Level::info;
  std::string sentence;
};
struct Yield {};  // event::Turn, once those who wait have had theirs
struct Stop {     // the process, as a failure
  std::string why;
};

// --- The dataplane.

struct Claim {  // event::Claimed
  bool by_force = false;
};
struct AskState {};  // event::StateTold
struct Transact {    // event::TransactionEnded
  bool full = false;
  std::vector<ipc::Change> changes;
};

// --- The kernel.

struct CloseGuard {  // event::GuardClosed
  std::uint64_t number = 0;
  guard::Guard wanted;
};
struct Keep {
  std::vector<netlink::NeighbourKey> resolved;
  netlink::Wanted wanted;
};
struct Bind {
  netlink::Mirror::Bindings bound;
};
struct CountReturns {
  std::map<int, unsigned> returns;
};
struct ListAgain {};                      // all that the kernel has
struct Probe {                            // event::Probed, again and again
  std::vector<reach::ProbeOrder> orders;  // in the place of those before
};

// --- Files and operators.

struct ReadFiles {};  // event::ReadAgain
struct Follow {       // this policy runs now: serve its metrics, watch its files
  std::shared_ptr<const policy::Policy> policy;
  std::optional<serve::Sources> sources;  // none: the files are the same as before
};
struct KeepDrained {  // over a restart, in the place of those before
  sync::Drained drained;
};
struct Answer {
  Ticket ticket = 0;
  tl::expected<serve::Reloaded, std::string> result;
};
struct AnswerPlan {  // of a rehearsal
  Ticket ticket = 0;
  tl::expected<serve::Plan, std::string> plan;
};

}  // namespace action

using Action = std::variant<action::Say, action::Yield, action::Stop, action::Claim, action::AskState,
                            action::Transact, action::CloseGuard, action::Keep, action::Bind,
                            action::CountReturns, action::ListAgain, action::Probe, action::ReadFiles,
                            action::Follow, action::KeepDrained, action::Answer, action::AnswerPlan>;

}  // namespace sekisho::reconcile
