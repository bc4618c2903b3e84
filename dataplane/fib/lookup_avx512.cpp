// SPDX-License-Identifier: BSD-3-Clause
// Sixteen lookups at a time where the CPU gathers: in tables with many extended blocks twice as fast as one by one,
// because all first loads of a bulk are on their way before any second one is needed. Only x86 has them.
#ifdef __x86_64__
#ifndef __clang__
// GCC 12 finds its own _mm512_undefined_epi32() uninitialized (GCC bug 105593).
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include <immintrin.h>

#include "dataplane/fib/lookup.hpp"

namespace sekisho::fib {
namespace {

#define SEKISHO_AVX512 __attribute__((target("avx512f,avx512bw,avx512vl")))

constexpr unsigned lanes = 16;

// Entries are narrower than the four bytes that a gather reads: the rest is cut off (and may lie behind the table's
// end, where the layout has room).
template <typename Format>
SEKISHO_AVX512 inline __m512i gather(const typename Format::Entry* table, __m512i indexes,
                                     __mmask16 wanted) noexcept {
  constexpr int size = sizeof(typename Format::Entry);
  const __m512i words = _mm512_mask_i32gather_epi32(_mm512_setzero_si512(), wanted, indexes, table, size);
  return _mm512_and_si512(words, _mm512_set1_epi32((1 << (8 * size)) - 1));
}

template <typename Format>
SEKISHO_AVX512 inline __mmask16 led_on(__m512i entries) noexcept {
  const __m512i on = _mm512_set1_epi32(Format::on);
  return _mm512_cmpeq_epi32_mask(_mm512_and_si512(entries, on), on);
}

template <typename Format>
SEKISHO_AVX512 inline __m512i extensions(const View<Format>& view, __m512i addresses, __m512i entries,
                                         __mmask16 extended) noexcept {
  __m512i tables;
  if constexpr (Format::separate_extensions) {
    tables = gather<Wide>(view.extensions, _mm512_srli_epi32(addresses, 8), extended);
  } else {
    tables = _mm512_andnot_si512(_mm512_set1_epi32(Format::on), entries);
  }
  const __m512i indexes =
      _mm512_or_si512(_mm512_slli_epi32(tables, 8), _mm512_and_si512(addresses, _mm512_set1_epi32(0xff)));
  return _mm512_mask_mov_epi32(entries, extended, gather<Format>(view.tbl8, indexes, extended));
}

template <typename Format>
SEKISHO_AVX512 inline void look_up(const View<Format>& view, const std::uint32_t* addresses, Value* values,
                                   unsigned count) noexcept {
  for (unsigned i = 0; i < count; ++i) {
    __builtin_prefetch(&view.tbl24[addresses[i] >> 8]);
  }
  __m512i address[bulk / lanes];
  __m512i entry[bulk / lanes];
  __mmask16 valid[bulk / lanes];
  const unsigned vectors = (count + lanes - 1) / lanes;
  for (unsigned v = 0; v < vectors; ++v) {
    const unsigned left = count - v * lanes;
    valid[v] = static_cast<__mmask16>(left < lanes ? (1U << left) - 1 : 0xffff);
    address[v] = _mm512_maskz_loadu_epi32(valid[v], addresses + v * lanes);
    entry[v] = gather<Format>(view.tbl24, _mm512_srli_epi32(address[v], 8), valid[v]);
  }
  for (unsigned v = 0; v < vectors; ++v) {
    if (const __mmask16 extended = led_on<Format>(entry[v]); extended != 0) {
      entry[v] = extensions(view, address[v], entry[v], extended);
    }
    _mm256_mask_storeu_epi16(values + v * lanes, valid[v], _mm512_cvtepi32_epi16(entry[v]));
  }
}

}  // namespace

bool have_avx512() noexcept {
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512vl");
}

SEKISHO_AVX512 void lookup_blocks_avx512(const View<Narrow>& view, const std::uint32_t* addresses,
                                         Value* values, unsigned count) noexcept {
  look_up(view, addresses, values, count);
}

SEKISHO_AVX512 void lookup_blocks_avx512(const View<Wide>& view, const std::uint32_t* addresses,
                                         Value* values, unsigned count) noexcept {
  look_up(view, addresses, values, count);
}

}  // namespace sekisho::fib

#else

#include "dataplane/fib/lookup.hpp"

namespace sekisho::fib {

bool have_avx512() noexcept {
  return false;
}

void lookup_blocks_avx512(const View<Narrow>& view, const std::uint32_t* addresses, Value* values,
                          unsigned count) noexcept {
  lookup_blocks(view, addresses, values, count);
}

void lookup_blocks_avx512(const View<Wide>& view, const std::uint32_t* addresses, Value* values,
                          unsigned count) noexcept {
  lookup_blocks(view, addresses, values, count);
}

}  // namespace sekisho::fib

#endif
