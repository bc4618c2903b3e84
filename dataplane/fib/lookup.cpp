// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/fib/lookup.hpp"

#include <algorithm>
#include <bit>
#include <utility>

#include "common/base/vectors.hpp"

namespace sekisho::fib {
namespace {

// By how many a bulk is judged: looking at more would cost more than a wrong choice.
constexpr unsigned sample = 8;
constexpr unsigned sample_of_few = 2;
// A CPU has the loads of so many under way by itself: neither prefetches nor gathers pay.
constexpr unsigned few = 8;
static_assert(sample <= few + 1 && sample_of_few <= sample);

const bool vectors = have_avx512();

// Keeps the compiler from making a branch of a choice between two pointers.
template <typename T>
const T* chosen(bool first, const T* one, const T* other) noexcept {
  const T* pointer = first ? one : other;
  asm("" : "+r"(pointer));
  return pointer;
}

// One bit an address of a bulk.
using Mask = std::uint64_t;
static_assert(bulk <= 8 * sizeof(Mask));

#ifdef __x86_64__
constexpr bool loads_keep_order = true;
#else
constexpr bool loads_keep_order = false;
#endif

#if defined(__SANITIZE_THREAD__)
#define SEKISHO_TSAN
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define SEKISHO_TSAN
#endif
#endif

// Of a round's loads none has to wait for another; what is read behind the round, an entry that was led to or a next hop, is read after
// all of them. Where a CPU loads in any order, an acquire with each load would make them wait: one barrier a round does not. On x86
// it keeps the compiler alone from exchanging them. TSan knows no barriers.
#ifdef SEKISHO_TSAN
template <typename Entry>
Entry load_in_round(const Entry& entry) noexcept {
  return load(entry);
}
void end_round() noexcept {}
#else
template <typename Entry>
Entry load_in_round(const Entry& entry) noexcept {
  return std::atomic_ref{const_cast<Entry&>(entry)}.load(std::memory_order_relaxed);
}
void end_round() noexcept {
  std::atomic_thread_fence(std::memory_order_acquire);
}
#endif

// The shortcuts of eight addresses, straight from the table into a vector: stored one by one they would hold up the vector that
// judges them. Plain loads, because compilers keep atomic ones out of vector instructions; an entry is read whole all the same.
template <typename Format, int... lane>
[[gnu::no_sanitize_thread]] __m128i eight_shortcuts(const View<Format>& view, const std::uint32_t* addresses,
                                                    std::integer_sequence<int, lane...>) noexcept {
  __m128i eight = _mm_setzero_si128();
  if constexpr (sizeof(typename Format::Entry) == 1) {
    ((eight = _mm_insert_epi8(eight, view.shortcut[addresses[lane] >> shortcut_shift], 2 * lane)), ...);
  } else {
    ((eight = _mm_insert_epi16(eight, view.shortcut[addresses[lane] >> shortcut_shift], lane)), ...);
  }
  return eight;
}

// Which shortcuts lead on. Where they do not, they are the answers.
template <typename Format>
Mask lookup_shortcuts(const View<Format>& view, const std::uint32_t* addresses, Value* values,
                      unsigned count) noexcept {
  constexpr unsigned lanes = 8;
  const __m128i on = _mm_set1_epi16(static_cast<short>(Format::on));
  Mask led_on = 0;
  unsigned at = 0;
  for (; at + lanes <= count; at += lanes) {
    const __m128i eight = eight_shortcuts(view, addresses + at, std::make_integer_sequence<int, lanes>());
    _mm_storeu_si128(reinterpret_cast<__m128i*>(values + at), eight);
    const __m128i equal = _mm_cmpeq_epi16(_mm_and_si128(eight, on), on);
    led_on |= Mask{static_cast<unsigned>(_mm_movemask_epi8(_mm_packs_epi16(equal, _mm_setzero_si128())))}
              << at;
  }
  for (; at < count; ++at) {
    const auto entry = load_in_round(view.shortcut[addresses[at] >> shortcut_shift]);
    values[at] = entry;
    led_on |= Mask{Format::leads_on(entry)} << at;
  }
  end_round();
  return led_on;
}

template <typename Visit>
void for_each_bit(Mask mask, Visit visit) noexcept {
  for (; mask != 0; mask &= mask - 1) {
    visit(static_cast<unsigned>(std::countr_zero(mask)));
  }
}

// Those that their shortcuts lead on, and then those of them that tbl24 leads on.
template <typename Format>
void lookup_led_on(const View<Format>& view, const std::uint32_t* addresses, Value* values,
                   Mask led_on) noexcept {
  Mask extended = 0;
  for_each_bit(led_on, [&](unsigned at) {
    const auto entry = load_in_round(view.tbl24[addresses[at] >> 8]);
    values[at] = entry;
    extended |= Mask{Format::leads_on(entry)} << at;
  });
  end_round();
  for_each_bit(extended, [&](unsigned at) {
    const auto entry = static_cast<typename Format::Entry>(values[at]);
    const unsigned table = view.extension(addresses[at] >> 8, entry);
    values[at] = load_in_round(view.tbl8[table * extension_entries + (addresses[at] & 0xff)]);
  });
  end_round();
}

}  // namespace

template <typename Format>
Value lookup_block(const View<Format>& view, std::uint32_t address) noexcept {
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
void lookup_blocks(const View<Format>& view, const std::uint32_t* addresses, Value* values,
                   unsigned count) noexcept {
  if (count > few) {
    for (unsigned i = 0; i < count; ++i) {
      __builtin_prefetch(&view.tbl24[addresses[i] >> 8]);
    }
  }
  if constexpr (!loads_keep_order) {
    const Mask all = count < bulk ? (Mask{1} << count) - 1 : ~Mask{0};
    lookup_led_on(view, addresses, values, all);
    return;
  }
  for (unsigned i = 0; i < count; ++i) {
    values[i] = lookup_block(view, addresses[i]);
  }
}

template <typename Format>
void lookup_by_shortcut(const View<Format>& view, const std::uint32_t* addresses, Value* values,
                        unsigned count) noexcept {
  lookup_led_on(view, addresses, values, lookup_shortcuts(view, addresses, values, count));
}

template <typename Format>
void lookup_bulk(const View<Format>& view, const std::uint32_t* addresses, Value* values,
                 unsigned count) noexcept {
  while (count != 0) {
    const unsigned now = std::min(count, bulk);
    const unsigned first = now > few ? sample : std::min(now, sample_of_few);
    const Mask led_on = lookup_shortcuts(view, addresses, values, first);
    if (4 * static_cast<unsigned>(std::popcount(led_on)) < 3 * first) {
      const Mask others = lookup_shortcuts(view, addresses + first, values + first, now - first);
      lookup_led_on(view, addresses, values, led_on | others << first);
    } else if (vectors && now > few) {  // of those, a gather's vectors would stand half empty
      lookup_blocks_avx512(view, addresses, values, now);
    } else {
      lookup_blocks(view, addresses, values, now);
    }
    addresses += now;
    values += now;
    count -= now;
  }
}

template Value lookup_block(const View<Narrow>&, std::uint32_t) noexcept;
template Value lookup_block(const View<Wide>&, std::uint32_t) noexcept;
template void lookup_blocks(const View<Narrow>&, const std::uint32_t*, Value*, unsigned) noexcept;
template void lookup_blocks(const View<Wide>&, const std::uint32_t*, Value*, unsigned) noexcept;
template void lookup_by_shortcut(const View<Narrow>&, const std::uint32_t*, Value*, unsigned) noexcept;
template void lookup_by_shortcut(const View<Wide>&, const std::uint32_t*, Value*, unsigned) noexcept;
template void lookup_bulk(const View<Narrow>&, const std::uint32_t*, Value*, unsigned) noexcept;
template void lookup_bulk(const View<Wide>&, const std::uint32_t*, Value*, unsigned) noexcept;

}  // namespace sekisho::fib
