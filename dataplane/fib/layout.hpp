// SPDX-License-Identifier: BSD-3-Clause
// What lookups read: DIR-24-8 behind a shortcut.
//
//   address  a.b.c.d
//              |
//              v
//   shortcut   [upper 18 bits] ---- all 64 blocks below have this answer (most of a default route's world)
//    2^18      |
//   entries    +--- leads on
//                   v
//   tbl24      [a.b.c] ------------ the answer for this /24, a *block*
//    2^24      |
//   entries    +--- leads on (the block has prefixes longer than /24)
//                   v
//   tbl8       [extension table][d] the answer for this address
//    256 entries a table
//
// The problem: with a default route and some overrides a plain DIR-24-8 spreads random destinations over megabytes
// of equal entries, and every lookup is a cache miss. The shortcut says the same in 256 or 512 KB, which stay in
// the L2 cache. tbl24 is always true, also below a shortcut that answers: lookups whose neighbours all led on skip
// the shortcut (see lookup.hpp), and a transaction stores each entry of it once.
//
// An answer is a next-hop index. Entries are as narrow as the table allows, because what is behind the shortcut
// competes for the L3 cache with the packets:
//
//   Narrow   8 bits: indexes up to 254. What leads on is 255; which extension table stands in an array of its
//            own, that few blocks touch: right while few blocks are extended
//   Wide     16 bits: indexes up to 32767. Bit 15 leads on, bits 14..0 name the extension table: one cache miss
//            less for each extended block
//
// Each wins where the other loses: in the trials that chose them 8 bits were ahead for a full Internet table, the more so
// the more others used the L3 cache, and 16 bits for Azure's service tags (10,000 extended blocks), by a quarter or more.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <vector>

#include "common/base/prefix.hpp"
#include "dataplane/fib/mapping.hpp"

namespace sekisho::fib {

// What a table gives for an address: an index whose meaning is its user's, of a next hop or of a zone.
using Value = std::uint16_t;
inline constexpr Value no_route = 0;        // what an address has that no prefix covers
inline constexpr Value max_value = 0x7fff;  // the widest entry's

inline constexpr std::uint32_t blocks = std::uint32_t{1} << 24;
inline constexpr unsigned blocks_per_shortcut = 64;
inline constexpr std::uint32_t shortcuts = blocks / blocks_per_shortcut;
inline constexpr unsigned shortcut_shift = 32 - 18;  // of an address
static_assert(shortcuts == std::uint32_t{1} << (32 - shortcut_shift));
inline constexpr std::size_t extension_entries = 256;
inline constexpr unsigned most_extension_tables = 0x8000;

// Acquire and release: who reads a new index must also see what the writer made it mean before. Free on x86.
template <typename Entry>
[[nodiscard]] Entry load(const Entry& entry) noexcept {
  return std::atomic_ref{const_cast<Entry&>(entry)}.load(std::memory_order_acquire);
}
template <typename Entry>
void store(Entry& entry, Entry next) noexcept {
  std::atomic_ref{entry}.store(next, std::memory_order_release);
}

struct Narrow {
  using Entry = std::uint8_t;
  static constexpr Entry on = 0xff;
  static constexpr Value max_value = 0xfe;
  static constexpr bool separate_extensions = true;
  [[nodiscard]] static constexpr bool leads_on(Entry entry) noexcept { return entry == on; }
  // Does any of eight entries? (Is a byte of the complement zero: Warren, Hacker's Delight, 6-1.)
  [[nodiscard]] static constexpr bool any_leads_on(std::uint64_t entries) noexcept {
    return ((~entries - 0x0101'0101'0101'0101) & entries & 0x8080'8080'8080'8080) != 0;
  }
};

struct Wide {
  using Entry = std::uint16_t;
  static constexpr Entry on = 0x8000;
  static constexpr Value max_value = fib::max_value;
  static constexpr bool separate_extensions = false;
  [[nodiscard]] static constexpr bool leads_on(Entry entry) noexcept { return (entry & on) != 0; }
  // Does any of four?
  [[nodiscard]] static constexpr bool any_leads_on(std::uint64_t entries) noexcept {
    return (entries & 0x8000'8000'8000'8000) != 0;
  }
};

// What a lookup needs of a layout, in one cache line.
template <typename Format>
struct View {
  using Entry = typename Format::Entry;
  const Entry* shortcut = nullptr;
  const Entry* tbl24 = nullptr;
  const Entry* tbl8 = nullptr;
  const std::uint16_t* extensions = nullptr;  // by block; Narrow only

  // The extension table that `entry` of tbl24 leads to.
  [[nodiscard]] unsigned extension(std::uint32_t block, Entry entry) const noexcept {
    if constexpr (Format::separate_extensions) {
      return load(extensions[block]);
    } else {
      return entry & ~Format::on;
    }
  }
};

// Which extension tables may be written. Given back ones come first, so that no more memory is touched than needed.
struct FreeTables {
  std::vector<std::uint16_t> returned;
  unsigned untouched = 0;  // this one and all behind it
  unsigned max = 0;

  [[nodiscard]] std::size_t count() const noexcept { return returned.size() + (max - untouched); }
  [[nodiscard]] std::uint16_t take() noexcept {
    if (returned.empty()) {
      return static_cast<std::uint16_t>(untouched++);
    }
    const std::uint16_t table = returned.back();
    returned.pop_back();
    return table;
  }
};

// The memory, and the writer's access to it. Writer only.
template <typename Format>
class Layout {
 public:
  using Entry = typename Format::Entry;

  // nullptr: there is no memory.
  [[nodiscard]] static auto create(unsigned max_extension_tables) -> std::unique_ptr<Layout>;

  [[nodiscard]] const View<Format>& view() const noexcept { return view_; }
  [[nodiscard]] Entry* tbl24() noexcept { return dense_.template as<Entry>() + shortcuts; }
  [[nodiscard]] Entry* extension_table(unsigned number) noexcept {
    return tbl8_.template as<Entry>() + number * extension_entries;
  }
  [[nodiscard]] bool is_extended(std::uint32_t block) const noexcept {
    return Format::leads_on(view_.tbl24[block]);
  }

  // Before anything is stored: `count` tables can be taken and there is memory for them.
  [[nodiscard]] bool provide_extension_tables(std::size_t count) noexcept;
  // Of a block that is not extended. Nobody sees the table before lead_to().
  [[nodiscard]] unsigned take_extension_table() noexcept { return free_->take(); }
  void lead_to(std::uint32_t block, unsigned table) noexcept;
  // Its tables are the callers' until they are given back, which may be when the layout is gone.
  [[nodiscard]] const std::shared_ptr<FreeTables>& free_tables() const noexcept { return free_; }

  // Brings the shortcuts of these blocks to what tbl24 says.
  void summarize(std::uint32_t first_block, std::uint32_t last_block) noexcept;

  [[nodiscard]] static constexpr std::size_t dense_bytes() noexcept {
    return (std::size_t{shortcuts} + blocks) * sizeof(Entry);
  }

 private:
  // A vector lookup reads four bytes wherever an entry begins.
  static constexpr std::size_t read_ahead = 4;

  Layout() = default;
  [[nodiscard]] Entry summary(std::uint32_t shortcut) const noexcept;

  Mapping dense_;  // shortcut, then tbl24
  Mapping tbl8_;
  Mapping extensions_;  // Narrow only
  View<Format> view_;
  std::shared_ptr<FreeTables> free_ = std::make_shared<FreeTables>();
};

extern template class Layout<Narrow>;
extern template class Layout<Wide>;

}  // namespace sekisho::fib
