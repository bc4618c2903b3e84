// SPDX-License-Identifier: BSD-3-Clause
// What the guard must be: what the policies say that run or are to come, on the interfaces that are there now. Pure.
#pragma once

#include <cstdint>
#include <set>
#include <string>

#include "control/guard/guard.hpp"
#include "control/policy/policy.hpp"
#include "control/reconcile/moment.hpp"
#include "control/reconcile/steps.hpp"

namespace sekisho::reconcile {

class Guarding {
 public:
  struct Policies {
    const policy::Policy& runs;
    const policy::Policy* under_way = nullptr;  // null: none. Its exit opens before it is committed
    const Steps& waiting;                       // their ports are guarded, and nothing is let out for them
  };

  // `let_out`: what an earlier control let out, which the dataplane may still send.
  explicit Guarding(guard::Guard let_out) : let_out_(std::move(let_out)) {}

  // Asks for it; the number of the answer to wait for.
  auto close(const Policies& policies, Moment& moment) -> std::uint64_t;
  [[nodiscard]] auto wanted(const Policies& policies, const netlink::Mirror& mirror) const -> guard::Guard;

  // Until the next commit, all that is let out now stays open: the dataplane may have taken what we do not know.
  void keep_open() { let_out_ = asked_; }
  void on_committed() { let_out_ = {}; }
  // Ports that still run, whatever our configuration says by now.
  void remember(const ipc::State& state);

 private:
  void report_missing_ports(const config::Config& config, Moment& moment);

  guard::Guard let_out_;  // what the dataplane may send by the exit until the next commit
  guard::Guard asked_;    // last
  std::uint64_t number_ = 0;
  std::set<std::string> missing_ports_;  // whose interfaces are not there, and the log says so
};

}  // namespace sekisho::reconcile
