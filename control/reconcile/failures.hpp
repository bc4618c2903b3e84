// SPDX-License-Identifier: BSD-3-Clause
// What the dataplane could not start of what it was told: ports, and the exit. Pure.
#pragma once

#include <map>
#include <string>

#include "control/reconcile/moment.hpp"
#include "dataplane.pb.h"

namespace sekisho::reconcile {

class Failures {
 public:
  // Of another dataplane.
  void clear();
  void on_committed(const ipc::Committed& committed, Moment& moment);
  // True: the port has failed.
  auto on_port(const ipc::PortState& port, Moment& moment) -> bool;

  [[nodiscard]] bool any() const noexcept { return !ports_.empty() || !exit_.empty(); }
  // Why, by port.
  [[nodiscard]] const std::map<std::string, std::string>& ports() const noexcept { return ports_; }
  [[nodiscard]] const std::string& exit() const noexcept { return exit_; }  // why; empty: it runs

 private:
  std::map<std::string, std::string> ports_;
  std::string exit_;
};

}  // namespace sekisho::reconcile
