// SPDX-License-Identifier: BSD-3-Clause
// Assertions: statements about all packets, decided exactly. Each one that is false comes with a packet for which it is. Pure.
//
// An assertion says: whatever comes from there and is for one of these addresses goes one of these ways. Which way a packet goes
// depends on its source's zone and on the longest match in that zone's table, and on nothing else. So a zone's sorted winners
// are walked once, as disjoint ranges with one decider each, beside the ranges of which the assertion speaks; no address is looked
// up. Time is linear in the zone's routes; memory, in the ranges for which the assertion is false.
//
// It speaks of where packets are sent, not of whether somebody lives there: a next hop without a living member drops, and what is
// said of it stays true. It does not speak of packets that no table is asked about: from or for a martian address, for an address
// of this appliance's own, from one or from a subnet's broadcast address, or by a port that the source's zone does not have (spoofed).
//
// Built in, unless [internet] says `assert = false`: each zone with `internet = true` reaches the Internet by its `via`, by named
// exceptions, or not at all. Named is a User route that has its next hop by name or by address, or that leads to the Internet. What a
// type of Azure's stands for is not (VirtualNetworkGateway), an override of `sekisho route` is not, nor is anything that was learned.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/error.hpp"
#include "common/base/prefix.hpp"
#include "control/policy/policy.hpp"
#include "control/prove/sources.hpp"
#include "control/route/address_set.hpp"

namespace sekisho::prove {

// A route of a zone's table that no policy has: the kernel's state brings it. It goes before the policy's of the same prefix.
struct KernelRoute {
  enum class Kind : std::uint8_t { own, dropped, connected };
  base::Prefix prefix;
  Kind kind = Kind::own;
  std::string source;  // what it is: "connected prefix of port lan"
};

// What is known of the kernel.
struct Kernel {
  std::vector<std::vector<KernelRoute>> routes;  // by zone, as in the policy; sorted, each prefix once
  std::vector<base::Prefix> subnets;             // of the ports
  std::vector<base::Prefix> nobodys;             // own and broadcast addresses, which are no packet's source
};

// What decides about a packet.
struct Decider {
  std::optional<base::Prefix> prefix;  // none: no route, or no zone
  std::string next_hop;                // or "Internet", "connected", "dropped"
  std::string origin;                  // "System", "BGP", "User"; empty: no route
  std::string written;                 // "sekisho.toml:12", "private space"; of no route why it is dropped
  friend bool operator==(const Decider&, const Decider&) = default;
};

struct Counterexample {
  std::optional<std::uint32_t> source;        // none: nobody is in the zone
  std::optional<base::Prefix> source_prefix;  // by which it is in the zone
  std::uint32_t destination = 0;
  std::string zone;  // empty: none has this source
  Decider decider;
};

struct Offender {
  std::string zone;
  Decider decider;
  std::uint64_t destinations = 0;  // for which it makes the assertion false
};

struct Proof {
  std::string name;       // as written; of one that has no name, what it says
  std::string statement;  // "zone onprem to internet via firewall or dropped"
  std::string way;        // "firewall or dropped"
  unsigned line = 0;      // of the configuration
  bool built_in = false;
  bool holds = false;
  std::string empty;                   // why it speaks of nothing, and so is not true; empty: it does
  std::uint64_t spoken = 0;            // destination addresses of which it speaks
  std::uint64_t destinations = 0;      // those for which it is false
  std::optional<std::uint64_t> pairs;  // of source and destination, where it is from a prefix
  std::optional<Counterexample> counterexample;
  std::vector<Offender> offenders;  // the first most_offenders, in the order of their addresses
};

inline constexpr std::size_t most_offenders = 10;

// Behind the sentence of a built-in one.
inline constexpr std::string_view built_in_hint =
    " (built in: an [[assert]] of your own may say it otherwise once [internet] has assert = false)";

struct Way;  // way.hpp

// Decides one after the other, for who cannot wait for all. What it is given must outlive it.
class Prover {
 public:
  explicit Prover(const policy::Policy& policy, Kernel kernel = {});

  // The configuration's, in their order, and behind them the built-in ones, a zone each.
  [[nodiscard]] std::size_t size() const noexcept { return statements_.size(); }
  [[nodiscard]] bool is_built_in(std::size_t index) const { return statements_[index].built_in; }
  [[nodiscard]] auto prove(std::size_t index) const -> Proof;

 private:
  struct Statement {
    std::string name;
    unsigned line = 0;
    std::string zone;  // empty: from a prefix
    base::Prefix from;
    std::string to;  // as written
    std::vector<std::string> via;
    route::AddressSet scope;
    bool built_in = false;
  };
  void add(const config::Assertion& written, const policy::Assertion& unfolded,
           const route::AddressSet& internet);
  void add_built_in(const config::Zone& zone, const route::AddressSet& internet);
  void decide_zone(const Statement& statement, Proof& proof) const;
  void decide_prefix(const Statement& statement, Proof& proof) const;
  // Of the zone's table; `sources`: whose packets. `wrong`: the destinations for which it is false, unless null. How many there are.
  auto judge(const Statement& statement, std::size_t zone, const route::AddressSet& sources, Proof& proof,
             std::vector<route::AddressSet::Range>* wrong) const -> std::uint64_t;
  [[nodiscard]] auto example(std::size_t zone, const route::AddressSet& sources, std::uint32_t destination,
                             const Way& way) const -> Counterexample;

  const policy::Policy& policy_;
  Kernel kernel_;
  Sources sources_;
  std::vector<Statement> statements_;
};

// All of them.
[[nodiscard]] auto prove(const policy::Policy& policy, Kernel kernel = {}) -> std::vector<Proof>;

// "is false: 172.16.0.1 in zone onprem reaches ...", without a full stop; of one that holds, "holds ...".
[[nodiscard]] auto sentence(const Proof& proof) -> std::string;
// The first assertion that the configuration breaks, for who refuses it then. The kernel's state is not asked: an address that comes
// later must not make of a configuration that runs one that cannot be loaded.
[[nodiscard]] auto refuse_broken(const policy::Policy& policy) -> std::optional<base::Error>;

}  // namespace sekisho::prove
