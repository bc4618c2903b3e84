// SPDX-License-Identifier: BSD-3-Clause
// What of the kernel a policy needs to know: members, hosts, the exit, ports' links; with a line in the log for each thing that
// changes. Pure.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "control/policy/policy.hpp"
#include "control/reach/hosts.hpp"
#include "control/reach/members.hpp"
#include "control/reconcile/moment.hpp"
#include "control/reconcile/port_links.hpp"
#include "control/sync/transaction.hpp"
#include "dataplane.pb.h"

namespace sekisho::reconcile {

class KernelView {
 public:
  // Of the policy that runs, as it was last looked at.
  [[nodiscard]] const sync::View& now() const noexcept { return now_; }
  // Of any, by the kernel as it is.
  [[nodiscard]] auto of(const policy::Policy& policy, const netlink::Mirror& mirror) const -> sync::View;

  // Looks at the kernel for the policy that runs. `failed_exit`: why the dataplane could not make the exit. The ports whose
  // interface came, is another one, or went up or down.
  auto look(const policy::Policy& policy, const std::string& failed_exit, Moment& moment)
      -> std::set<std::string>;
  // The policy that runs is another now, and this is what was told of it.
  void show(const policy::Policy& policy, const std::string& failed_exit, sync::View view, Moment& moment);

  // Destinations on the ports' subnets that packets were for. True: there are new ones.
  auto want(const ipc::Wanted& wanted, const policy::Policy& policy, Moment& moment) -> bool;
  // What the dataplane forwards to, by the word of an earlier control, until the kernel speaks.
  void inherit(const ipc::State& state);
  // What the kernel is to keep resolved for a policy.
  [[nodiscard]] auto neighbours_of(const policy::Policy& policy, const netlink::Mirror& mirror) const
      -> std::vector<netlink::NeighbourKey>;

 private:
  void report_members(const policy::Policy& policy, const std::vector<reach::Member>& before,
                      Moment& moment) const;
  void report_exit(const std::optional<reach::Exit>& before, Moment& moment) const;

  sync::View now_;
  reach::Hosts hosts_;
  bool hosts_are_full_ = false;  // and the log says so
  reach::Inherited inherited_;   // shrinks as the kernel speaks
  PortLinks port_links_;
};

}  // namespace sekisho::reconcile
