// SPDX-License-Identifier: BSD-3-Clause
// The plain frame, recognised four at a time, and its fields put into columns:
//
//   for this station, from another one | EtherType 0x0800 | version 4, no options, a right checksum | no special address | TTL above 1
//   total length at least 24 (a header and two ports), nothing behind the datagram but Ethernet's padding | not ICMP, of which
//   errors go with the flow that they quote
//
// Nearly every frame is one. A frame that is not plain is not wrong: the exact tests (ethernet.hpp, ipv4.hpp,
// address.hpp, options.hpp) then say what it is. A plain one passes them all. Hence a test here may be stricter than
// the exact one wherever that is cheaper (all of 169/8, say), never laxer.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "common/base/vectors.hpp"
#include "dataplane/packet/bytes.hpp"
#include "dataplane/packet/columns.hpp"
#include "dataplane/packet/ethernet.hpp"
#include "dataplane/packet/flow_hash.hpp"
#include "dataplane/packet/ipv4.hpp"

namespace sekisho::packet {

// So many bytes of each of the four frames are read: Ethernet, IPv4, two ports.
inline constexpr std::size_t plain_minimum = ethernet_header_size + ipv4_header_minimum + 4;

class PlainFrames {
 public:
  // Of a station whose address is all zero any frame that is not for a group is taken.
  explicit PlainFrames(const std::array<std::uint8_t, 6>& station) noexcept;

  // Whether all four frames, of `sizes` bytes in one piece and at least plain_minimum, are plain. Then, and only then,
  // the columns from `at` on are theirs.
  template <std::size_t Capacity>
  [[nodiscard]] bool read_four(const std::uint8_t* const* frames, const std::uint32_t* sizes,
                               Columns<Capacity>& columns, std::size_t at) const noexcept;
  // The same by sixteens from `at` on, as long as all sixteen are plain, until `count` are read. `at` is a multiple of sixteen, and
  // frames (each in one piece, of any length) and columns reach to the multiple that holds `count`. Returns where it stopped: the
  // columns from there on say nothing. Only where have_avx512() says so (plain_avx512.hpp).
  template <std::size_t Capacity>
  [[nodiscard]] std::size_t read_sixteens(const std::uint8_t* const* frames, const std::uint32_t* sizes,
                                          Columns<Capacity>& columns, std::size_t at,
                                          std::size_t count) const noexcept;

 private:
  // One 32-bit word of each frame's IPv4 header, the first frame's in the lowest lane, as it lies in memory.
  using Words = __m128i;

  static __m128i load(const void* bytes) noexcept {
    return _mm_loadu_si128(static_cast<const __m128i*>(bytes));
  }
  static void store(void* bytes, __m128i value) noexcept {
    _mm_store_si128(static_cast<__m128i*>(bytes), value);
  }
  static Words load_words(const std::uint8_t* const* frames, std::size_t at) noexcept;
  static __m128i differ(const std::uint8_t* const* frames, __m128i pattern) noexcept;
  static __m128i come_from(const std::uint8_t* const* frames, __m128i sender) noexcept;
  static __m128i sum_halves(Words words) noexcept;
  static __m128i pick_bytes(Words words, int b0, int b1, int b2, int b3) noexcept;
  static __m128i flow_ends(__m128i addresses, __m128i ports) noexcept;

  static constexpr int zero = -128;  // instead of a byte's number

  __m128i pattern_;  // of a frame's first 16 bytes: destination, EtherType, version and header length
  __m128i mask_;     // which of their bits must be so
  __m128i sender_;   // the station as an IPv4 frame's sender: from byte 6 on
};

inline PlainFrames::PlainFrames(const std::array<std::uint8_t, 6>& station) noexcept {
  // In numbers, of which the lowest byte is the first: bytes stored one by one would hold up the load of all.
  const std::uint64_t address =
      std::uint64_t{load_native32(station.data())} | std::uint64_t{load_native32(station.data() + 2)} << 16;
  const std::uint64_t all = 0xffff'ffff'ffff;
  pattern_ = _mm_set_epi64x(0x0045'0008'0000'0000, static_cast<long long>(address));
  const std::uint64_t group_sender = std::uint64_t{1} << 48;
  mask_ =
      _mm_set_epi64x(0x00ff'ffff'0000'0000, static_cast<long long>((address == 0 ? 1 : all) | group_sender));
  sender_ = _mm_set_epi64x(0, static_cast<long long>(address | 0x0008'0000'0000'0000));
}

inline PlainFrames::Words PlainFrames::load_words(const std::uint8_t* const* frames,
                                                  std::size_t at) noexcept {
  return _mm_set_epi32(
      static_cast<int>(load_native32(frames[3] + at)), static_cast<int>(load_native32(frames[2] + at)),
      static_cast<int>(load_native32(frames[1] + at)), static_cast<int>(load_native32(frames[0] + at)));
}

// The bits in which any of the four frames' beginnings differs from the pattern.
inline __m128i PlainFrames::differ(const std::uint8_t* const* frames, __m128i pattern) noexcept {
  return _mm_or_si128(
      _mm_or_si128(_mm_xor_si128(load(frames[0]), pattern), _mm_xor_si128(load(frames[1]), pattern)),
      _mm_or_si128(_mm_xor_si128(load(frames[2]), pattern), _mm_xor_si128(load(frames[3]), pattern)));
}

// Not zero if any of the four does. What follows the EtherType is never 0 in a plain one.
inline __m128i PlainFrames::come_from(const std::uint8_t* const* frames, __m128i sender) noexcept {
  const auto equal = [&](unsigned frame) { return _mm_cmpeq_epi64(load(frames[frame] + 6), sender); };
  return _mm_or_si128(_mm_or_si128(equal(0), equal(1)), _mm_or_si128(equal(2), equal(3)));
}

// Of the two 16-bit halves of each word, each 0x8000 too small: the instruction takes them as signed.
inline __m128i PlainFrames::sum_halves(Words words) noexcept {
  return _mm_madd_epi16(_mm_xor_si128(words, _mm_set1_epi16(static_cast<short>(0x8000))), _mm_set1_epi16(1));
}

// In each word: its byte number b0 becomes the lowest, and so on.
inline __m128i PlainFrames::pick_bytes(Words words, int b0, int b1, int b2, int b3) noexcept {
  const __m128i one = _mm_set1_epi32((b0 & 0xff) | (b1 & 0xff) << 8 | (b2 & 0xff) << 16 | (b3 & 0xff) << 24);
  const __m128i word_at = _mm_set_epi32(0x0c0c0c0c, 0x08080808, 0x04040404, 0);
  return _mm_shuffle_epi8(words, _mm_or_si128(one, word_at));
}

// What flow_end() says of each.
inline __m128i PlainFrames::flow_ends(__m128i addresses, __m128i ports) noexcept {
  const __m128i ends =
      _mm_add_epi32(_mm_mullo_epi32(addresses, _mm_set1_epi32(static_cast<int>(flow_address_factor))),
                    _mm_mullo_epi32(ports, _mm_set1_epi32(static_cast<int>(flow_port_factor))));
  return _mm_or_si128(_mm_xor_si128(ends, _mm_srli_epi32(ends, 16)), _mm_set1_epi32(1));
}

template <std::size_t Capacity>
inline bool PlainFrames::read_four(const std::uint8_t* const* frames, const std::uint32_t* sizes,
                                   Columns<Capacity>& columns, std::size_t at) const noexcept {
  constexpr std::size_t ip = ethernet_header_size;
  __m128i wrong = _mm_or_si128(_mm_and_si128(differ(frames, pattern_), mask_), come_from(frames, sender_));

  // The header's five words, and the ports behind it. Words two to five of four frames are a matrix to transpose.
  const Words first = load_words(frames, ip);
  const __m128i low01 = _mm_unpacklo_epi32(load(frames[0] + ip + 4), load(frames[1] + ip + 4));
  const __m128i low23 = _mm_unpacklo_epi32(load(frames[2] + ip + 4), load(frames[3] + ip + 4));
  const __m128i high01 = _mm_unpackhi_epi32(load(frames[0] + ip + 4), load(frames[1] + ip + 4));
  const __m128i high23 = _mm_unpackhi_epi32(load(frames[2] + ip + 4), load(frames[3] + ip + 4));
  const Words fragment = _mm_unpacklo_epi64(low01, low23);  // identification, flags and offset
  const Words life = _mm_unpackhi_epi64(low01, low23);      // TTL, protocol, checksum
  const Words source = _mm_unpacklo_epi64(high01, high23);
  const Words destination = _mm_unpackhi_epi64(high01, high23);
  const Words ports = load_words(frames, ip + ipv4_header_minimum);

  // The checksum is right when the one's complement sum of the ten halves is all ones. A sum of ten is folded once:
  // k * 0xffff, for k from 1 to 10, is (k - 1) * 0x10000 + (0x10000 - k).
  __m128i sum = _mm_add_epi32(_mm_add_epi32(sum_halves(first), sum_halves(fragment)),
                              _mm_add_epi32(sum_halves(life), sum_halves(source)));
  sum = _mm_add_epi32(_mm_add_epi32(sum, sum_halves(destination)), _mm_set1_epi32(10 * 0x8000));
  const __m128i low_half = _mm_set1_epi32(0xffff);
  const __m128i folded = _mm_add_epi32(_mm_and_si128(sum, low_half), _mm_srli_epi32(sum, 16));
  wrong = _mm_or_si128(wrong, _mm_xor_si128(folded, low_half));

  // Header and ports <= total length; datagram <= frame <= datagram with Ethernet's padding.
  const __m128i length = pick_bytes(first, 3, 2, zero, zero);
  const __m128i end = _mm_add_epi32(length, _mm_set1_epi32(ip));
  const __m128i size = _mm_load_si128(reinterpret_cast<const __m128i*>(sizes));
  wrong = _mm_or_si128(wrong, _mm_cmplt_epi32(end, _mm_set1_epi32(plain_minimum)));
  wrong = _mm_or_si128(wrong, _mm_cmpgt_epi32(end, size));
  wrong = _mm_or_si128(wrong, _mm_cmpgt_epi32(size, _mm_max_epi32(end, _mm_set1_epi32(ethernet_minimum))));

  // A TTL of 0 or 1 has no bit above the lowest.
  wrong =
      _mm_or_si128(wrong, _mm_cmpeq_epi32(_mm_and_si128(life, _mm_set1_epi32(0xfe)), _mm_setzero_si128()));

  // First octets that special addresses have: 0, 127, 169 and from 224 on. The source's is the lowest byte, the
  // destination's the highest; 1 between them is no special one.
  const __m128i octets =
      _mm_or_si128(_mm_or_si128(_mm_and_si128(source, _mm_set1_epi32(0xff)), _mm_slli_epi32(destination, 24)),
                   _mm_set1_epi32(0x00010100));
  wrong = _mm_or_si128(wrong, _mm_cmpeq_epi8(octets, _mm_setzero_si128()));
  wrong = _mm_or_si128(wrong, _mm_cmpeq_epi8(octets, _mm_set1_epi8(127)));
  wrong = _mm_or_si128(wrong, _mm_cmpeq_epi8(octets, _mm_set1_epi8(static_cast<char>(169))));
  wrong = _mm_or_si128(wrong,
                       _mm_cmpeq_epi8(octets, _mm_max_epu8(octets, _mm_set1_epi8(static_cast<char>(224)))));

  // Ports of TCP and UDP that is no fragment (see flow_of).
  const __m128i protocol = _mm_and_si128(life, _mm_set1_epi32(0xff00));
  wrong = _mm_or_si128(wrong, _mm_cmpeq_epi32(protocol, _mm_set1_epi32(1 << 8)));
  const __m128i with_ports = _mm_or_si128(_mm_cmpeq_epi32(protocol, _mm_set1_epi32(6 << 8)),
                                          _mm_cmpeq_epi32(protocol, _mm_set1_epi32(17 << 8)));
  const __m128i whole = _mm_cmpeq_epi32(
      _mm_and_si128(fragment, _mm_set1_epi32(static_cast<int>(0xff3f'0000))), _mm_setzero_si128());
  const Words shown = _mm_and_si128(ports, _mm_and_si128(with_ports, whole));

  const __m128i sources = pick_bytes(source, 3, 2, 1, 0);
  const __m128i destinations = pick_bytes(destination, 3, 2, 1, 0);

  // flow_hash().
  const __m128i sender = flow_ends(sources, pick_bytes(shown, 1, 0, zero, zero));
  const __m128i receiver = flow_ends(destinations, pick_bytes(shown, 3, 2, zero, zero));
  const __m128i all = _mm_add_epi32(_mm_mullo_epi32(sender, receiver), _mm_srli_epi32(protocol, 8));
  const __m128i hash = _mm_mullo_epi32(_mm_xor_si128(all, _mm_srli_epi32(all, 15)),
                                       _mm_set1_epi32(static_cast<int>(flow_factor)));

  store(&columns.sources[at], sources);
  store(&columns.destinations[at], destinations);
  store(&columns.lengths[at], length);
  store(&columns.hashes[at], _mm_xor_si128(hash, _mm_srli_epi32(hash, 16)));
  return _mm_testz_si128(wrong, wrong) != 0;
}

}  // namespace sekisho::packet
