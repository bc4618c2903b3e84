// SPDX-License-Identifier: BSD-3-Clause
// The plain frame (plain.hpp) by AVX-512: sixteen at a time, by the same tests.
//
// What one 128-bit lane holds is one frame's, and four vectors hold every fourth frame: within lanes, words are transposed as of
// four frames, and a word's vector has the sixteen frames in their order. The loop over a whole burst's frames is in here, where
// the constants stay in registers from one sixteen to the next.
#pragma once

#ifdef __x86_64__

#ifndef __clang__
// GCC 12 finds its own _mm512_undefined_epi32() uninitialized (GCC bug 105593).
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC diagnostic ignored "-Wuninitialized"
#endif
#include <immintrin.h>

#include <cstddef>
#include <cstdint>

#include "dataplane/packet/columns.hpp"
#include "dataplane/packet/ethernet.hpp"
#include "dataplane/packet/flow_hash.hpp"
#include "dataplane/packet/ipv4.hpp"
#include "dataplane/packet/plain.hpp"

namespace sekisho::packet {

#define SEKISHO_AVX512 __attribute__((target("avx512f,avx512bw,avx512vl")))

[[nodiscard]] inline bool have_avx512() noexcept {
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512vl");
}

namespace avx512 {

SEKISHO_AVX512 inline __m128i load(const std::uint8_t* bytes) noexcept {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes));
}

// 16 bytes each of every fourth frame.
SEKISHO_AVX512 inline __m512i load_fourths(const std::uint8_t* const* frames, std::size_t at) noexcept {
  __m512i all = _mm512_castsi128_si512(load(frames[0] + at));
  all = _mm512_inserti32x4(all, load(frames[4] + at), 1);
  all = _mm512_inserti32x4(all, load(frames[8] + at), 2);
  return _mm512_inserti32x4(all, load(frames[12] + at), 3);
}

SEKISHO_AVX512 inline __m512i sum_halves(__m512i words) noexcept {
  return _mm512_madd_epi16(_mm512_xor_si512(words, _mm512_set1_epi16(static_cast<short>(0x8000))),
                           _mm512_set1_epi16(1));
}

// In each word: its byte number b0 becomes the lowest, and so on; -128 is zero.
SEKISHO_AVX512 inline __m512i pick_bytes(__m512i words, int b0, int b1, int b2, int b3) noexcept {
  const int one = (b0 & 0xff) | (b1 & 0xff) << 8 | (b2 & 0xff) << 16 | (b3 & 0xff) << 24;
  const __m512i word_at = _mm512_broadcast_i32x4(_mm_set_epi32(0x0c0c0c0c, 0x08080808, 0x04040404, 0));
  return _mm512_shuffle_epi8(words, _mm512_or_si512(_mm512_set1_epi32(one), word_at));
}

// What flow_end() says of each.
SEKISHO_AVX512 inline __m512i flow_ends(__m512i addresses, __m512i ports) noexcept {
  const __m512i ends = _mm512_add_epi32(
      _mm512_mullo_epi32(addresses, _mm512_set1_epi32(static_cast<int>(flow_address_factor))),
      _mm512_mullo_epi32(ports, _mm512_set1_epi32(static_cast<int>(flow_port_factor))));
  return _mm512_or_si512(_mm512_xor_si512(ends, _mm512_srli_epi32(ends, 16)), _mm512_set1_epi32(1));
}

}  // namespace avx512

template <std::size_t Capacity>
SEKISHO_AVX512 std::size_t PlainFrames::read_sixteens(const std::uint8_t* const* all_frames,
                                                      const std::uint32_t* all_sizes,
                                                      Columns<Capacity>& columns, std::size_t at,
                                                      std::size_t count) const noexcept {
  static_assert(Capacity % 16 == 0, "the last sixteen are written whole");
  constexpr std::size_t ip = ethernet_header_size;
  for (; at < count; at += 16) {
    const std::uint8_t* const* const frames = all_frames + at;
    const __m512i size = _mm512_loadu_si512(all_sizes + at);
    if (_mm512_cmplt_epi32_mask(size, _mm512_set1_epi32(plain_minimum)) != 0) {
      break;
    }

    // The station by itself: two vectors a frame hold the rest. `begin` is the sender, the EtherType and the header's first two
    // words; `rest` the other three, and the ports.
    constexpr std::size_t begin_at = ip - 8;
    const auto station = static_cast<std::uint64_t>(_mm_cvtsi128_si64(pattern_));
    std::uint64_t other_station = 0;
    __m512i begin[4];
    __m512i rest[4];
    for (unsigned v = 0; v < 4; ++v) {
      begin[v] = avx512::load_fourths(frames + v, begin_at);
      rest[v] = avx512::load_fourths(frames + v, ip + 8);
      for (unsigned frame = v; frame < 16; frame += 4) {
        other_station |= load_native64(frames[frame]) ^ station;
      }
    }
    other_station &= static_cast<std::uint64_t>(_mm_cvtsi128_si64(mask_));
    const __m512i pattern = _mm512_broadcast_i32x4(_mm_srli_si128(pattern_, begin_at));
    const __m512i mask = _mm512_broadcast_i32x4(_mm_srli_si128(mask_, begin_at));
    const __m512i differing = _mm512_or_si512(
        _mm512_or_si512(_mm512_xor_si512(begin[0], pattern), _mm512_xor_si512(begin[1], pattern)),
        _mm512_or_si512(_mm512_xor_si512(begin[2], pattern), _mm512_xor_si512(begin[3], pattern)));
    __mmask16 wrong = _mm512_test_epi32_mask(differing, mask);
    const __m512i own = _mm512_broadcast_i32x4(sender_);
    const unsigned own_sender = static_cast<unsigned>(_mm512_cmpeq_epi64_mask(begin[0], own)) |
                                _mm512_cmpeq_epi64_mask(begin[1], own) |
                                _mm512_cmpeq_epi64_mask(begin[2], own) |
                                _mm512_cmpeq_epi64_mask(begin[3], own);

    const __m512i begin01 = _mm512_unpackhi_epi32(begin[0], begin[1]);
    const __m512i begin23 = _mm512_unpackhi_epi32(begin[2], begin[3]);
    const __m512i first = _mm512_unpacklo_epi64(begin01, begin23);
    const __m512i fragment = _mm512_unpackhi_epi64(begin01, begin23);
    const __m512i low01 = _mm512_unpacklo_epi32(rest[0], rest[1]);
    const __m512i low23 = _mm512_unpacklo_epi32(rest[2], rest[3]);
    const __m512i high01 = _mm512_unpackhi_epi32(rest[0], rest[1]);
    const __m512i high23 = _mm512_unpackhi_epi32(rest[2], rest[3]);
    const __m512i life = _mm512_unpacklo_epi64(low01, low23);
    const __m512i source = _mm512_unpackhi_epi64(low01, low23);
    const __m512i destination = _mm512_unpacklo_epi64(high01, high23);
    const __m512i ports = _mm512_unpackhi_epi64(high01, high23);

    __m512i sum = _mm512_add_epi32(_mm512_add_epi32(avx512::sum_halves(first), avx512::sum_halves(fragment)),
                                   _mm512_add_epi32(avx512::sum_halves(life), avx512::sum_halves(source)));
    sum = _mm512_add_epi32(_mm512_add_epi32(sum, avx512::sum_halves(destination)),
                           _mm512_set1_epi32(10 * 0x8000));
    const __m512i low_half = _mm512_set1_epi32(0xffff);
    const __m512i folded = _mm512_add_epi32(_mm512_and_si512(sum, low_half), _mm512_srli_epi32(sum, 16));
    wrong |= _mm512_cmpneq_epi32_mask(folded, low_half);

    const __m512i length = avx512::pick_bytes(first, 3, 2, zero, zero);
    const __m512i end = _mm512_add_epi32(length, _mm512_set1_epi32(ip));
    wrong |= _mm512_cmplt_epi32_mask(end, _mm512_set1_epi32(plain_minimum));
    wrong |= _mm512_cmpgt_epi32_mask(end, size);
    wrong |= _mm512_cmpgt_epi32_mask(size, _mm512_max_epi32(end, _mm512_set1_epi32(ethernet_minimum)));
    wrong |= _mm512_testn_epi32_mask(life, _mm512_set1_epi32(0xfe));

    // Of addresses the first octets, as read_four() has them.
    const __m512i octets = _mm512_or_si512(_mm512_or_si512(_mm512_and_si512(source, _mm512_set1_epi32(0xff)),
                                                           _mm512_slli_epi32(destination, 24)),
                                           _mm512_set1_epi32(0x00010100));
    const __mmask64 special = _mm512_testn_epi8_mask(octets, octets) |
                              _mm512_cmpeq_epi8_mask(octets, _mm512_set1_epi8(127)) |
                              _mm512_cmpeq_epi8_mask(octets, _mm512_set1_epi8(static_cast<char>(169))) |
                              _mm512_cmpge_epu8_mask(octets, _mm512_set1_epi8(static_cast<char>(224)));

    const __m512i protocol = _mm512_and_si512(life, _mm512_set1_epi32(0xff00));
    wrong |= _mm512_cmpeq_epi32_mask(protocol, _mm512_set1_epi32(1 << 8));
    const __mmask16 with_ports = _mm512_cmpeq_epi32_mask(protocol, _mm512_set1_epi32(6 << 8)) |
                                 _mm512_cmpeq_epi32_mask(protocol, _mm512_set1_epi32(17 << 8));
    const __mmask16 whole =
        _mm512_testn_epi32_mask(fragment, _mm512_set1_epi32(static_cast<int>(0xff3f'0000)));
    const __m512i shown = _mm512_maskz_mov_epi32(with_ports & whole, ports);

    const __m512i sources = avx512::pick_bytes(source, 3, 2, 1, 0);
    const __m512i destinations = avx512::pick_bytes(destination, 3, 2, 1, 0);
    // flow_hash().
    const __m512i sender = avx512::flow_ends(sources, avx512::pick_bytes(shown, 1, 0, zero, zero));
    const __m512i receiver = avx512::flow_ends(destinations, avx512::pick_bytes(shown, 3, 2, zero, zero));
    const __m512i all =
        _mm512_add_epi32(_mm512_mullo_epi32(sender, receiver), _mm512_srli_epi32(protocol, 8));
    const __m512i hash = _mm512_mullo_epi32(_mm512_xor_si512(all, _mm512_srli_epi32(all, 15)),
                                            _mm512_set1_epi32(static_cast<int>(flow_factor)));
    _mm512_storeu_si512(&columns.sources[at], sources);
    _mm512_storeu_si512(&columns.destinations[at], destinations);
    _mm512_storeu_si512(&columns.lengths[at], length);
    _mm512_storeu_si512(&columns.hashes[at], _mm512_xor_si512(hash, _mm512_srli_epi32(hash, 16)));
    if (wrong != 0 || special != 0 || other_station != 0 || own_sender != 0) {
      break;
    }
  }
  return at;
}

#undef SEKISHO_AVX512

}  // namespace sekisho::packet

#else  // Another CPU has none, and reads by fours.

#include "dataplane/packet/plain.hpp"

namespace sekisho::packet {

[[nodiscard]] constexpr bool have_avx512() noexcept {
  return false;
}

template <std::size_t Capacity>
std::size_t PlainFrames::read_sixteens(const std::uint8_t* const*, const std::uint32_t*, Columns<Capacity>&,
                                       std::size_t at, std::size_t) const noexcept {
  return at;
}

}  // namespace sekisho::packet

#endif
