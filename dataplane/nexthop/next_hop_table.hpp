// SPDX-License-Identifier: BSD-3-Clause
// What a table entry's index means: next hops, and the adjacencies that they lead to.
//
//   NextHopIndex -> NextHop { buckets[] } -> AdjacencyIndex -> Adjacency { port, rewrite, ... }
//
// Every next hop is resolved to buckets of adjacencies, also one that drops or goes to the host (a bucket
// with a special adjacency): a worker does the same steps for all and takes one branch, at the end. decide/member.hpp
// says which member has which bucket. The order in which members were named does not matter.
//
// Readers: workers, through pointers that the writer swaps; a replaced object is freed after a grace period.
// Writer: one thread, everything not marked as reader's. A failover is one object swapped, whatever the
// number of routes, and fills its buckets in 5 to 20 us: the members' order of preference, which takes up to 40 ms to find,
// stays as long as the members do, and next hops of the same members share it.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <vector>

#include "dataplane/decide/member.hpp"
#include "dataplane/decide/verdict.hpp"
#include "dataplane/fib/fib.hpp"
#include "dataplane/fib/qsbr.hpp"
#include "dataplane/nexthop/next_hop.hpp"

namespace sekisho::nexthop {

// What a route table gives. 0 is of no next hop: it is what a table gives where no prefix covers, and always drops.
enum class NextHopIndex : fib::Value {};
[[nodiscard]] constexpr fib::Value value_of(NextHopIndex index) noexcept {
  return static_cast<fib::Value>(index);
}

inline constexpr unsigned max_adjacencies = 4096;
inline constexpr unsigned max_next_hops = 4096;  // indexes 1..4095

using decide::Action;

// Adjacencies that always exist, one for each action that sends nothing.
inline constexpr AdjacencyIndex no_route_adjacency = 0;
inline constexpr AdjacencyIndex drop_adjacency = 1;
inline constexpr AdjacencyIndex host_adjacency = 2;
inline constexpr AdjacencyIndex group_down_adjacency = 3;
inline constexpr AdjacencyIndex exit_adjacency = 4;
inline constexpr AdjacencyIndex connected_adjacency = 5;
inline constexpr AdjacencyIndex first_adjacency = 6;

// One cache line; immutable once published. Of an adjacency that sends nothing the table publishes `mtu` and `port_bit` as 0: a
// worker learns by one comparison that a packet is not sent, be it too long or the action another.
struct alignas(64) Adjacency {
  std::array<std::uint8_t, 12>
      stations{};         // of a forwarded frame, destination and source; the EtherType stays as it is
  std::uint16_t mtu = 0;  // of the port, bytes of the packet
  std::uint8_t port = 0;  // port index (forward/forwarding_state.hpp)
  Action action = Action::no_route;
  std::uint32_t address = 0;   // the neighbour's
  std::uint32_t port_bit = 0;  // 1 << port
  friend bool operator==(const Adjacency&, const Adjacency&) = default;
};
static_assert(sizeof(Adjacency) == 64);

// A member as it is configured, whether it can be reached or not.
struct Member {
  std::uint32_t address = 0;
  AdjacencyIndex adjacency = no_route_adjacency;  // that: no port leads to it, and it is not alive
  std::uint8_t weight = 1;                        // 1 to decide::max_weight
  bool drained = false;                           // keeps its place in the order, and takes no flow
  friend auto operator<=>(const Member&, const Member&) = default;
};

class NextHopTable {
 public:
  explicit NextHopTable(fib::Qsbr& qsbr);
  ~NextHopTable();
  NextHopTable(const NextHopTable&) = delete;
  NextHopTable& operator=(const NextHopTable&) = delete;

  // Readers. Every index below the maximum answers: one that is not set drops as no_route.
  [[nodiscard]] const NextHop& next_hop(NextHopIndex index) const noexcept {
    return *next_hops_[value_of(index)].load(std::memory_order_acquire);
  }
  // Whether a next hop may hash by addresses: asked once for many packets, before their next hops.
  [[nodiscard]] bool any_by_addresses() const noexcept {
    return by_addresses_.load(std::memory_order_acquire) != 0;
  }
  [[nodiscard]] const Adjacency& adjacency(AdjacencyIndex index) const noexcept {
    return *adjacencies_[index].load(std::memory_order_acquire);
  }

  // Writer. Indexes are the caller's to give out (adjacencies from first_adjacency, next hops from 1); an
  // index may be given to something else only after a grace period (Qsbr::retire). What is set to what it
  // already is publishes nothing. Setting an adjacency also re-computes the buckets of the next hops that
  // have it as a member. It is said anew each time: adjacency() has forgotten the MTU of one that sends nothing.
  //
  // A member is alive when its adjacency's action is `forward`. A next hop without a living member, also one
  // with a single member, leads to group_down_adjacency: an operator sees one reason for one fault.
  void set_adjacency(AdjacencyIndex index, const Adjacency& adjacency);
  void clear_adjacency(AdjacencyIndex index);          // no next hop may have it as a member
  void set_action(NextHopIndex index, Action action);  // drop, host, exit or connected
  // At most decide::max_members different addresses; none: it is down. An address on two ports is one member.
  void set_members(NextHopIndex index, std::span<const Member> members,
                   packet::HashBy hash_by = packet::HashBy::five_tuple);
  void clear(NextHopIndex index);
  // That take flows: the drained ones do not count.
  [[nodiscard]] unsigned alive_members(NextHopIndex index) const;

 private:
  // What the placing of members needs to know of an adjacency; at times ahead of what is published.
  struct Neighbour {
    std::uint8_t port = 0;
    bool alive = false;
    friend bool operator==(const Neighbour&, const Neighbour&) = default;
  };
  struct Group {
    std::vector<Member> members;  // by address, then adjacency; none: not a group, or one that is down
    packet::HashBy hash_by{};
    std::shared_ptr<const decide::Preferences> preferences;  // null: never needed yet
  };
  // The members that take flows, and the adjacency of each.
  struct Living {
    decide::MemberMask mask = 0;
    std::array<AdjacencyIndex, decide::max_members> adjacencies{};
  };

  [[nodiscard]] auto living(const Group& group) const -> Living;
  [[nodiscard]] auto place(Group& group) -> NextHopPointer;
  [[nodiscard]] auto preferences_of(const Group& group) -> std::shared_ptr<const decide::Preferences>;
  void place_groups_of(AdjacencyIndex member);
  void publish(NextHopIndex index, NextHopPointer next_hop);

  fib::Qsbr& qsbr_;
  // In the object, not behind a pointer: after an acquire a reader would have to load that pointer anew.
  std::array<std::atomic<const NextHop*>, max_next_hops> next_hops_;
  std::array<std::atomic<const Adjacency*>, max_adjacencies> adjacencies_;
  std::atomic<unsigned> by_addresses_ = 0;
  NextHopPointer unset_;               // where every unset index leads
  std::vector<Neighbour> neighbours_;  // by adjacency index
  std::vector<Group> groups_;          // by next-hop index
  std::map<std::vector<decide::Member>, std::weak_ptr<const decide::Preferences>> preferences_;
};

}  // namespace sekisho::nexthop
