// SPDX-License-Identifier: BSD-3-Clause
// The ports' interfaces as they were last seen, and a line in the log for each thing that became of them. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>

#include "control/config/config.hpp"
#include "control/netlink/mirror.hpp"
#include "control/reconcile/moment.hpp"

namespace sekisho::reconcile {

class PortLinks {
 public:
  // The ports whose interface came, is another one, or went up or down.
  auto follow(const config::Config& config, Moment& moment) -> std::set<std::string>;

 private:
  struct Seen {
    int index = 0;  // 0: it is not there
    std::string name;
    bool up = false;
    std::uint32_t mtu = 0;
    std::string why;  // it is not there
    friend bool operator==(const Seen&, const Seen&) = default;
  };
  static Seen look(const config::Port& port, const netlink::Mirror& mirror);
  static void report(const config::Port& port, const Seen& before, const Seen& now, Moment& moment);

  std::map<std::string, Seen> seen_;  // by port
};

}  // namespace sekisho::reconcile
