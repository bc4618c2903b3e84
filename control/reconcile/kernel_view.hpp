// SPDX-License-Identifier: BSD-3-Clause
// What of the world a policy needs to know: members and their probes, hosts, the exit, ports' links; with a line in the log for
// each thing that changes. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "control/policy/policy.hpp"
#include "control/reach/hosts.hpp"
#include "control/reach/liveness.hpp"
#include "control/reach/members.hpp"
#include "control/reach/probing.hpp"
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

  // Looks at the kernel for the policy that runs and for those that may come, whose members are followed, too. `failed_exit`: why
  // the dataplane could not make the exit. The ports whose interface came, is another one, or went up or down.
  auto look(const policy::Policy& policy, const std::vector<const policy::Policy*>& coming,
            const std::string& failed_exit, Moment& moment) -> std::set<std::string>;
  // The policy that runs is another now, and this is what was told of it.
  void show(const policy::Policy& policy, const std::string& failed_exit, sync::View view, Moment& moment);

  // Destinations on the ports' subnets that packets were for. True: there are new ones.
  auto want(const ipc::Wanted& wanted, const policy::Policy& policy, Moment& moment) -> bool;
  // What the dataplane forwards to, by the word of an earlier control, until the kernel speaks.
  void inherit(const ipc::State& state, Time now);
  // Members that take no flows, from now on.
  void drain(sync::Drained drained) { now_.drained = drained_ = std::move(drained); }
  [[nodiscard]] const sync::Drained& drained() const noexcept { return drained_; }
  // What became of a member's probe. True: it is alive now or is not any more.
  auto hear(const event::Probed& probed, Moment& moment) -> bool;
  // Who is to be probed now, of the policies that were looked at last.
  [[nodiscard]] const std::vector<reach::ProbeOrder>& orders() const noexcept { return orders_; }
  // When something changes by time alone.
  [[nodiscard]] auto wakes_at() const { return liveness_.wakes_at(); }
  // What the kernel is to keep resolved for a policy.
  [[nodiscard]] auto neighbours_of(const policy::Policy& policy, const netlink::Mirror& mirror) const
      -> std::vector<netlink::NeighbourKey>;

 private:
  void follow_members(const policy::Policy& policy, const std::vector<const policy::Policy*>& coming,
                      Moment& moment);
  void report_members(const policy::Policy& policy, Moment& moment);
  void report_exit(const std::optional<reach::Exit>& before, Moment& moment) const;

  sync::View now_;
  sync::Drained drained_;
  reach::Hosts hosts_;
  bool hosts_are_full_ = false;  // and the log says so
  reach::Inherited inherited_;   // shrinks as the kernel speaks
  reach::Liveness liveness_;
  std::vector<reach::ProbeOrder> orders_;
  std::map<std::uint32_t, bool> said_;  // of each member of the policy that runs: that it is alive, or not
  PortLinks port_links_;
};

}  // namespace sekisho::reconcile
