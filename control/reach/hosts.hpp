// SPDX-License-Identifier: BSD-3-Clause
// Which hosts of the ports' subnets are followed: those that packets were for. The dataplane names their destinations; the
// kernel resolves them; who answers becomes a next hop of his own.
//
// The problem is who does not answer. A scan of a subnet names thousands of absent addresses a second (each worker up to 5,120),
// each costs the kernel an entry in its table of neighbours, which ends at 1,024 (net.ipv4.neigh.default.gc_thresh3), for the
// three seconds in which it asks; and beside the scan somebody waits for a host that is there. The naive answer, to ask for all
// and forget each when the kernel says FAILED, fills the kernel's table, next hops' members with it. To refuse what comes while
// `most_asked` are waiting fills those places with absent ones for three seconds each, and the host that is there finds one free
// about never. But who is there answers within a round trip on the link: after `patience` the one that waits longest makes room.
// The cost: under a scan 256 broadcasts a second on the link, and one whose answer takes longer may have to be asked for again.
// The kernel knows him by then: his next packet needs no question.
//
// Who has answered stays for as long as the kernel can reach him, and goes with the first FAILED, the link or the subnet; the next
// packet asks again. Nobody else's place is taken: past `most` new ones are refused.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <set>
#include <span>

#include "control/config/config.hpp"
#include "control/netlink/netlink.hpp"
#include "control/reach/connected.hpp"
#include "control/reach/members.hpp"

namespace sekisho::reach {

class Hosts {
 public:
  using Time = std::chrono::steady_clock::time_point;

  static constexpr std::size_t most = 1024;
  static constexpr std::size_t most_asked = 64;
  static constexpr std::chrono::milliseconds patience{250};

  struct World {
    const config::Config& config;
    const netlink::Mirror& mirror;
    const Inherited& inherited;
  };

  struct Outcome {
    bool more = false;  // there are new ones: the kernel is to be asked, or has them already
    bool full = false;  // one was refused for `most`
  };
  auto want(std::span<const std::uint32_t> destinations, const World& world, Time now) -> Outcome;
  // That the dataplane forwards to, by the word of an earlier control.
  void inherit(std::uint32_t address) { answered_.insert(address); }
  // Moves who has answered, and forgets who is gone.
  void follow(const World& world, Time now);

  [[nodiscard]] const std::set<std::uint32_t>& answered() const noexcept { return answered_; }
  [[nodiscard]] bool is_full() const noexcept { return answered_.size() + asked_.size() >= most; }
  // Whom the kernel is to keep resolved.
  [[nodiscard]] auto all() const -> std::set<std::uint32_t>;

 private:
  struct Asked {
    std::uint32_t address = 0;
    Time since;
  };

  [[nodiscard]] bool knows(std::uint32_t address) const;
  auto ask(std::uint32_t address, Time now) -> bool;

  std::set<std::uint32_t> answered_;
  std::deque<Asked> asked_;  // who waits longest stands first
};

}  // namespace sekisho::reach
