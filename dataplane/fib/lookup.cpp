#include "dataplane/fib/lookup.hpp"

#include <algorithm>
#include <array>

namespace sekisho::fib {
namespace {

// Looking at more would cost more than a wrong choice.
constexpr unsigned sample = 8;
constexpr unsigned mostly = 6;  // of the sample

const bool vectors = have_avx512();

// How many shortcuts are tested by one branch.
constexpr unsigned group = 8;

// Keeps the compiler from making a branch of a choice between two pointers.
template <typename T>
const T* chosen(bool first, const T* one, const T* other) noexcept {
  const T* pointer = first ? one : other;
  asm("" : "+r"(pointer));
  return pointer;
}

// How many of the first addresses their shortcuts lead on.
template <typename Format>
unsigned led_on_of_sample(const View<Format>& view, const std::uint32_t* addresses, unsigned count) noexcept {
  unsigned led_on = 0;
  for (unsigned i = 0; i < std::min(count, sample); ++i) {
    led_on += Format::leads_on(load(view.shortcut[addresses[i] >> shortcut_shift]));
  }
  return led_on;
}

// Positions of those that their shortcuts lead on; the last one written may not count.
using Positions = std::array<std::uint8_t, bulk + 1>;

// From `first` to `last`. Returns how many are led on, with those found before; the others have their answers.
template <typename Format>
unsigned ask_shortcuts(const View<Format>& view, const std::uint32_t* addresses, NextHopIndex* next_hops,
                       unsigned first, unsigned last, Positions& led_on, unsigned led_on_count) noexcept {
  for (unsigned i = first; i < last; ++i) {
    const auto entry = load(view.shortcut[addresses[i] >> shortcut_shift]);
    next_hops[i] = entry;
    led_on[led_on_count] = static_cast<std::uint8_t>(i);
    led_on_count += Format::leads_on(entry);
  }
  return led_on_count;
}

// The same where hardly any is led on: one branch for a group, and nothing to note.
template <typename Format>
unsigned ask_shortcuts_in_groups(const View<Format>& view, const std::uint32_t* addresses,
                                 NextHopIndex* next_hops, unsigned count, Positions& led_on) noexcept {
  unsigned led_on_count = 0;
  unsigned at = 0;
  for (; at + group <= count; at += group) {
    bool any = false;
    for (unsigned i = at; i < at + group; ++i) {
      const auto entry = load(view.shortcut[addresses[i] >> shortcut_shift]);
      next_hops[i] = entry;
      any |= Format::leads_on(entry);
    }
    if (any) {
      led_on_count = ask_shortcuts(view, addresses, next_hops, at, at + group, led_on, led_on_count);
    }
  }
  return ask_shortcuts(view, addresses, next_hops, at, count, led_on, led_on_count);
}

}  // namespace

template <typename Format>
NextHopIndex lookup_block(const View<Format>& view, std::uint32_t address) noexcept {
  using Entry = typename Format::Entry;
  const Entry* const own = &view.tbl24[address >> 8];
  const Entry entry = load(*own);
  const bool extended = Format::leads_on(entry);
  unsigned table;
  if constexpr (Format::separate_extensions) {
    static constexpr std::uint16_t none = 0;
    table = load(*chosen(extended, &view.extensions[address >> 8], &none));
  } else {
    table = entry & ~Format::on;
  }
  return load(*chosen(extended, &view.tbl8[table * extension_entries + (address & 0xff)], &entry));
}

template <typename Format>
void lookup_blocks(const View<Format>& view, const std::uint32_t* addresses, NextHopIndex* next_hops,
                   unsigned count) noexcept {
  for (unsigned i = 0; i < count; ++i) {
    __builtin_prefetch(&view.tbl24[addresses[i] >> 8]);
  }
  for (unsigned i = 0; i < count; ++i) {
    next_hops[i] = lookup_block(view, addresses[i]);
  }
}

template <typename Format>
void lookup_by_shortcut(const View<Format>& view, const std::uint32_t* addresses, NextHopIndex* next_hops,
                        unsigned count, bool hardly_any_led_on) noexcept {
  Positions led_on;
  const unsigned led_on_count = hardly_any_led_on
                                    ? ask_shortcuts_in_groups(view, addresses, next_hops, count, led_on)
                                    : ask_shortcuts(view, addresses, next_hops, 0, count, led_on, 0);
  for (unsigned i = 0; i < led_on_count; ++i) {
    __builtin_prefetch(&view.tbl24[addresses[led_on[i]] >> 8]);
  }
  for (unsigned i = 0; i < led_on_count; ++i) {
    const unsigned at = led_on[i];
    next_hops[at] = lookup_block(view, addresses[at]);
  }
}

template <typename Format>
void lookup_bulk(const View<Format>& view, const std::uint32_t* addresses, NextHopIndex* next_hops,
                 unsigned count) noexcept {
  while (count != 0) {
    const unsigned now = std::min(count, bulk);
    if (const unsigned led_on = led_on_of_sample(view, addresses, now); led_on < mostly) {
      lookup_by_shortcut(view, addresses, next_hops, now, led_on == 0);
    } else if (vectors) {
      lookup_blocks_avx512(view, addresses, next_hops, now);
    } else {
      lookup_blocks(view, addresses, next_hops, now);
    }
    addresses += now;
    next_hops += now;
    count -= now;
  }
}

template NextHopIndex lookup_block(const View<Narrow>&, std::uint32_t) noexcept;
template NextHopIndex lookup_block(const View<Wide>&, std::uint32_t) noexcept;
template void lookup_blocks(const View<Narrow>&, const std::uint32_t*, NextHopIndex*, unsigned) noexcept;
template void lookup_blocks(const View<Wide>&, const std::uint32_t*, NextHopIndex*, unsigned) noexcept;
template void lookup_by_shortcut(const View<Narrow>&, const std::uint32_t*, NextHopIndex*, unsigned,
                                 bool) noexcept;
template void lookup_by_shortcut(const View<Wide>&, const std::uint32_t*, NextHopIndex*, unsigned,
                                 bool) noexcept;
template void lookup_bulk(const View<Narrow>&, const std::uint32_t*, NextHopIndex*, unsigned) noexcept;
template void lookup_bulk(const View<Wide>&, const std::uint32_t*, NextHopIndex*, unsigned) noexcept;

}  // namespace sekisho::fib
