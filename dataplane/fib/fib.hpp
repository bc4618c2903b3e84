// A longest-prefix-match table of IPv4 prefixes: DIR-24-8 with 16-bit entries.
//
//   address  a.b.c.d
//              |
//              v
//   tbl24    [a.b.c] --- bit 15 clear: the next-hop index of the longest prefix
//    2^24       |
//   entries     +------- bit 15 set: bits 14..0 name an extension table
//                              |
//                              v
//   tbl8       [table][d] ---- the next-hop index                 (256 entries a table, for prefixes > /24)
//
// An entry is an index and nothing else, so that a next hop that dies is one object's change, not a million
// entries'. A *shadow* keeps the prefixes themselves: withdrawing one uncovers its parent.
//
// Readers (workers) never lock and never wait. One writer. Each entry is stored once per transaction, with
// its final value: for every address a lookup gives the answer from before or from after, never a third. An
// extension table that is not used any more is reused only after a grace period (qsbr.hpp).
//
// Memory: 32 MiB (tbl24) + 512 B an extension table, up to Options::max_extension_tables; and the shadow.
//
// Gupta, Lin, McKeown: "Routing Lookups in Hardware at Memory Access Speeds", INFOCOM 1998;
// DPDK rte_lpm, rte_fib.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "dataplane/fib/prefix.hpp"
#include "dataplane/fib/qsbr.hpp"

namespace sekisho::fib {

using NextHopIndex = std::uint16_t;
inline constexpr NextHopIndex no_route = 0;           // what an address has that no prefix covers
inline constexpr NextHopIndex max_next_hop = 0x7fff;  // bit 15 is the extension bit

struct Route {
  Prefix prefix;
  NextHopIndex next_hop = no_route;
  friend constexpr bool operator==(const Route&, const Route&) = default;
};

class Fib {
 public:
  struct Options {
    unsigned max_extension_tables = 32767;  // at most 32768
  };
  struct Memory {
    std::size_t table_bytes = 0;    // tbl24 and the extension tables in use
    std::size_t shadow_bytes = 0;   // estimate
    unsigned extension_tables = 0;  // that entries lead to
    unsigned max_extension_tables = 0;
  };

  // The error says how much memory could not be had. `qsbr` outlives the table.
  [[nodiscard]] static auto create(Qsbr& qsbr, Options options)
      -> tl::expected<std::unique_ptr<Fib>, std::string>;
  [[nodiscard]] static auto create(Qsbr& qsbr) { return create(qsbr, Options{}); }
  ~Fib();
  Fib(const Fib&) = delete;
  Fib& operator=(const Fib&) = delete;

  // Any thread that is an online reader of the Qsbr (or the writer).
  [[nodiscard]] NextHopIndex lookup(std::uint32_t address) const noexcept;
  void lookup_bulk(const std::uint32_t* addresses, NextHopIndex* next_hops, unsigned count) const noexcept;

  // Writer only. Each change sets a prefix's next hop, or withdraws the prefix with `no_route`; a prefix that
  // stands in several changes gets the last. Withdrawing what is not there changes nothing. Refused whole,
  // with a sentence, when the extension tables would not suffice, a prefix has host bits or an index is above
  // max_next_hop. Every /24 that has longer prefixes needs an extension table, whatever their next hops:
  // whether a set of prefixes fits depends on nothing else, save that a table given up counts as taken until
  // its grace period is over (someone must call Qsbr::poll; apply() does so itself when it is short of
  // tables).
  [[nodiscard]] auto apply(std::span<const Route> changes) -> tl::expected<void, std::string>;

  // Writer only: the shadow.
  [[nodiscard]] std::optional<NextHopIndex> find(Prefix prefix) const;  // exactly this prefix
  [[nodiscard]] std::optional<Route> longest_match(std::uint32_t address) const;
  [[nodiscard]] std::vector<Route> covering(std::uint32_t address) const;  // shortest first
  void for_each(const std::function<void(const Route&)>& visit) const;     // sorted by prefix
  [[nodiscard]] std::size_t size() const noexcept;
  [[nodiscard]] Memory memory() const noexcept;

 private:
  struct Impl;
  explicit Fib(std::unique_ptr<Impl> impl) noexcept;
  // The two pointers that a lookup needs stand here, not behind impl_.
  const std::uint16_t* tbl24_ = nullptr;
  const std::uint16_t* tbl8_ = nullptr;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sekisho::fib
