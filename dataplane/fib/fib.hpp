// SPDX-License-Identifier: BSD-3-Clause
// A longest-prefix-match table of IPv4 prefixes: DIR-24-8 behind a shortcut.
//
//   address --> shortcut (upper 18 bits) --> tbl24 (upper 24 bits) --> tbl8 (all 32), each only when led on
//
// layout.hpp has the picture. An entry is a next-hop index and nothing else, so that a next hop that dies is one
// object's change, not a million entries'. Entries are 8 bits wide while next-hop indexes and extended blocks are few
// and 16 from the transaction on that needs it; the table is then built anew beside the old one. A *shadow* keeps the
// prefixes themselves: withdrawing one uncovers its parent.
//
//   file           what it is                                        who may use it
//   layout.hpp     the entries, their memory                          readers by View, the writer
//   lookup.hpp     one address, or a bulk                             readers
//   shadow.hpp     the prefixes, sorted                               the writer
//   renderer.hpp   from shadow to entries, each stored once           the writer
//
// Readers (workers) never lock and never wait. One writer. Each entry is stored once per transaction, with its final
// value: for every address a lookup gives the answer from before or from after, never a third. An extension table, or
// a whole layout, that is not used any more is reused only after a grace period (qsbr.hpp).
//
// Invariants between transactions: tbl24 and tbl8 say for each address what the shadow's longest match says; a
// shortcut answers exactly where its 64 blocks have one answer; an extension table is led to by one block or free.
//
// Memory: 16.25 MiB + 256 B an extension table (narrow), 32.5 MiB + 512 B (wide), in 2 MiB steps; extension tables up
// to Options::max_extension_tables, past which an update is refused whole; and 8 bytes a prefix for the shadow.
//
// Gupta, Lin, McKeown: "Routing Lookups in Hardware at Memory Access Speeds", INFOCOM 1998; DPDK rte_lpm, rte_fib;
// the shortcut is the idea of DXR's and poptrie's direct pointing (Zec, Rizzo, Mikuc 2012; Asai, Ohara 2015).
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "common/base/prefix.hpp"
#include "dataplane/fib/layout.hpp"
#include "dataplane/fib/qsbr.hpp"

namespace sekisho::fib {

struct Route {
  base::Prefix prefix;
  Value value = no_route;
  friend constexpr bool operator==(const Route&, const Route&) = default;
};

class Fib {
 public:
  struct Options {
    unsigned max_extension_tables = 32767;  // at most 32768
  };
  struct Memory {
    std::size_t table_bytes = 0;    // shortcut, tbl24 and the extension tables in use
    std::size_t shadow_bytes = 0;   // estimate
    unsigned extension_tables = 0;  // that entries lead to
    unsigned max_extension_tables = 0;
    unsigned entry_bits = 0;  // 8 or 16
  };

  // The error says how much memory could not be had. `qsbr` outlives the table.
  [[nodiscard]] static auto create(Qsbr& qsbr, Options options)
      -> tl::expected<std::unique_ptr<Fib>, std::string>;
  [[nodiscard]] static auto create(Qsbr& qsbr) { return create(qsbr, Options{}); }
  ~Fib();
  Fib(const Fib&) = delete;
  Fib& operator=(const Fib&) = delete;

  // Any thread that is an online reader of the Qsbr (or the writer).
  [[nodiscard]] Value lookup(std::uint32_t address) const noexcept;
  void lookup_bulk(const std::uint32_t* addresses, Value* values, unsigned count) const noexcept;

  // Writer only. Each change sets a prefix's next hop, or withdraws the prefix with `no_route`; a prefix that
  // stands in several changes gets the last. Withdrawing what is not there changes nothing. Refused whole,
  // with a sentence, when the extension tables would not suffice, a prefix has host bits or an index is above
  // max_value. Every /24 that has longer prefixes needs an extension table, whatever their next hops:
  // whether a set of prefixes fits depends on nothing else, save that a table given up counts as taken until
  // its grace period is over (someone must call Qsbr::poll; apply() does so itself when it is short of
  // tables).
  [[nodiscard]] auto apply(std::span<const Route> changes) -> tl::expected<void, std::string>;

  // Writer only: the shadow.
  [[nodiscard]] std::optional<Value> find(base::Prefix prefix) const;  // exactly this prefix
  [[nodiscard]] std::optional<Route> longest_match(std::uint32_t address) const;
  [[nodiscard]] std::vector<Route> covering(std::uint32_t address) const;  // shortest first
  void for_each(const std::function<void(const Route&)>& visit) const;     // sorted by prefix
  [[nodiscard]] std::size_t size() const noexcept;
  [[nodiscard]] Memory memory() const noexcept;

 private:
  struct Impl;
  explicit Fib(std::unique_ptr<Impl> impl) noexcept;
  // What a lookup needs stands here, not behind impl_. `wide_` is null as long as the narrow layout is the one.
  View<Narrow> narrow_;
  std::atomic<const View<Wide>*> wide_{nullptr};
  std::unique_ptr<Impl> impl_;
};

}  // namespace sekisho::fib
