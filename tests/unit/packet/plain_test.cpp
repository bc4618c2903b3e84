// SPDX-License-Identifier: BSD-3-Clause
// The plain frame's test against the exact ones: a frame is plain when they all accept it and it is none of the few
// that are left to them; and then the columns hold what the views say.
#include "dataplane/packet/plain_avx512.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <vector>

#include "common/base/special_address.hpp"
#include "tests/unit/packet/headers.hpp"

namespace sekisho::packet::test {
namespace {

using Station = std::array<std::uint8_t, 6>;
constexpr Station station{0x02, 0, 0, 0, 0xff, 1};
constexpr Station any_station{};

struct Frame {
  Bytes bytes;             // the first plain_minimum of them
  std::uint32_t size = 0;  // of the whole frame
};

void repair_checksum(Frame& frame) {
  Bytes header(frame.bytes.begin() + ethernet_header_size, frame.bytes.begin() + ethernet_header_size + 20);
  set_checksum(header);
  std::copy(header.begin(), header.end(), frame.bytes.begin() + ethernet_header_size);
}

Frame make_frame(unsigned total = 46) {
  Frame frame{{station.begin(), station.end()}, std::max<std::uint32_t>(60, 14 + total)};
  frame.bytes.insert(frame.bytes.end(), {2, 0, 0, 0, 0xff, 2, 0x08, 0x00});
  const Bytes header = make_header(5, total);
  frame.bytes.insert(frame.bytes.end(), header.begin(), header.end());
  frame.bytes.insert(frame.bytes.end(), {0xc0, 0x01, 0x01, 0xbb});
  return frame;
}

bool exact(const Frame& frame, const Station& to) {
  const EthernetView ethernet(frame.bytes.data());
  const std::uint8_t* const header = frame.bytes.data() + ethernet_header_size;
  if ((to != any_station && !ethernet.to(to)) || ethernet.to_group() || ethernet.from_group() ||
      (to != any_station && ethernet.from(to)) || ethernet.type() != EtherType::ipv4) {
    return false;
  }
  const Ipv4View ip(header);
  return ip.header_size() == ipv4_header_minimum &&
         validate_ipv4(header, plain_minimum - ethernet_header_size, frame.size - ethernet_header_size) ==
             HeaderFault::none &&
         base::check_addresses(ip.source(), ip.destination()) == base::AddressFault::none;
}

// Right, but left to the exact tests.
bool rare(const Frame& frame, const Station& to) {
  const Ipv4View ip(frame.bytes.data() + ethernet_header_size);
  return (to == any_station && EthernetView(frame.bytes.data()).from(to)) || ip.ttl() <= 1 ||
         ip.total_length() < ipv4_header_minimum + 4 || frame.size > frame_size(ip.total_length()) ||
         ip.protocol() == Protocol::icmp || ip.source() >> 24 == 169 || ip.destination() >> 24 == 169;
}

bool expected(const Frame& frame, const Station& to) {
  return exact(frame, to) && !rare(frame, to);
}

template <std::size_t Capacity>
void expect_columns(const Columns<Capacity>& columns, std::size_t at, const Frame& frame) {
  const Ipv4View ip(frame.bytes.data() + ethernet_header_size);
  const Flow flow = flow_of(ip, plain_minimum - ethernet_header_size);
  ASSERT_EQ(columns.sources[at], ip.source());
  ASSERT_EQ(columns.destinations[at], ip.destination());
  ASSERT_EQ(columns.lengths[at], ip.total_length());
  ASSERT_EQ(columns.hashes[at], flow_hash(flow));
}

// Among twelve plain ones, at each of the four places in turn.
void check_sixteen(const std::array<const std::uint8_t*, 4>& frames,
                   const std::array<std::uint32_t, 4>& sizes, const std::array<Frame, 4>& contents,
                   const Station& to, bool plain) {
  static const Frame usual = make_frame();
  static std::size_t turn = 0;
  const std::size_t place = ++turn % 4 * 4;
  std::array<const std::uint8_t*, 16> all;
  all.fill(usual.bytes.data());
  std::array<std::uint32_t, 16> all_sizes;
  all_sizes.fill(usual.size);
  std::copy(frames.begin(), frames.end(), all.begin() + place);
  std::copy(sizes.begin(), sizes.end(), all_sizes.begin() + place);
  Columns<16> columns;
  ASSERT_EQ(PlainFrames(to).read_sixteens(all.data(), all_sizes.data(), columns, 0, 16), plain ? 16U : 0U)
      << "at " << place;
  for (std::size_t at = 0; plain && at < 16; ++at) {
    const bool theirs = at / 4 * 4 == place;
    expect_columns(columns, at, theirs ? contents[at - place] : usual);
  }
}

void check_four(const std::array<Frame, 4>& frames, const Station& to) {
  // On the heap and not a byte longer, so that AddressSanitizer sees the first byte read too many.
  std::array<std::unique_ptr<std::uint8_t[]>, 4> memory;
  std::array<const std::uint8_t*, 4> pointers{};
  alignas(16) std::array<std::uint32_t, 4> sizes{};
  bool plain = true;
  for (std::size_t at = 0; at < 4; ++at) {
    ASSERT_EQ(frames[at].bytes.size(), plain_minimum);
    memory[at] = std::make_unique<std::uint8_t[]>(plain_minimum);
    std::copy(frames[at].bytes.begin(), frames[at].bytes.end(), memory[at].get());
    pointers[at] = memory[at].get();
    sizes[at] = frames[at].size;
    plain = plain && expected(frames[at], to);
  }
  Columns<4> columns;
  ASSERT_EQ(PlainFrames(to).read_four(pointers.data(), sizes.data(), columns, 0), plain);
  for (std::size_t at = 0; plain && at < 4; ++at) {
    expect_columns(columns, at, frames[at]);
  }
  if (have_avx512()) {
    check_sixteen(pointers, sizes, frames, to, plain);
  }
}

// In one lane, beside three plain ones; the lanes in turn.
void check(const Frame& frame, const Station& to = station) {
  static const Frame usual = make_frame();
  static std::size_t lane = 0;
  std::array<Frame, 4> frames{usual, usual, usual, usual};
  frames[++lane % 4] = frame;
  check_four(frames, to);
}

TEST(PlainFrames, TheUsualOneIsPlain) {
  EXPECT_TRUE(expected(make_frame(), station));
  EXPECT_TRUE(expected(make_frame(), any_station));
  EXPECT_TRUE(expected(make_frame(1500), station));
}

TEST(PlainFrames, SixteensEndWhereOneIsNotPlain) {
  if (!have_avx512()) {
    return;  // as in check_four(): nothing calls it there, and no test can provide for a CPU
  }
  const Frame usual = make_frame();
  Frame multicast = usual;
  multicast.bytes[0] |= 1;
  const std::vector<std::uint8_t> short_one(plain_minimum - 1);  // AddressSanitizer sees whether it is read
  for (std::size_t count = 1; count <= 64; ++count) {
    const std::size_t whole = (count + 15) / 16 * 16;
    for (std::size_t odd = 0; odd <= whole; ++odd) {  // none, where it is the last
      for (const bool is_short : {false, true}) {
        std::vector<const std::uint8_t*> frames(whole + 1, usual.bytes.data());
        std::vector<std::uint32_t> sizes(whole + 1, usual.size);
        frames[odd] = is_short ? short_one.data() : multicast.bytes.data();
        sizes[odd] = is_short ? plain_minimum - 1 : multicast.size;
        Columns<64> columns;
        const std::size_t read =
            PlainFrames(station).read_sixteens(frames.data(), sizes.data(), columns, 0, count);
        ASSERT_EQ(read, odd / 16 * 16) << odd << " of " << count;
        for (std::size_t at = 0; at < read; ++at) {
          expect_columns(columns, at, usual);
        }
      }
    }
  }
}

TEST(PlainFrames, EveryValueOfEveryByteInEveryLane) {
  for (const Station& to : {station, any_station}) {
    for (std::size_t at = 0; at < plain_minimum; ++at) {
      for (unsigned value = 0; value < 256; ++value) {
        for (std::size_t lane = 0; lane < 4; ++lane) {
          std::array<Frame, 4> frames{make_frame(), make_frame(100), make_frame(1500), make_frame(24)};
          frames[lane].bytes[at] = static_cast<std::uint8_t>(value);
          ASSERT_NO_FATAL_FAILURE(check_four(frames, to)) << "byte " << at << " is " << value;
          repair_checksum(frames[lane]);
          ASSERT_NO_FATAL_FAILURE(check_four(frames, to)) << "byte " << at << " is " << value << ", repaired";
        }
      }
    }
  }
}

// Each 16-bit word of the header through all its values, with the checksum that belongs to it.
TEST(PlainFrames, EveryValueOfEveryHeaderWord) {
  for (std::size_t at = ethernet_header_size; at < plain_minimum; at += 2) {
    for (unsigned value = 0; value <= 0xffff; ++value) {
      Frame frame = make_frame();
      set16(frame.bytes, at, value);
      if (at != ethernet_header_size + 10) {
        repair_checksum(frame);
      }
      ASSERT_NO_FATAL_FAILURE(check(frame)) << "word at " << at << " is " << value;
    }
  }
}

TEST(PlainFrames, EveryLengthOfFrameAndDatagram) {
  for (std::uint32_t size = plain_minimum; size < 130; ++size) {
    for (unsigned total = 0; total < 130; ++total) {
      Frame frame = make_frame();
      frame.size = size;
      set16(frame.bytes, ethernet_header_size + 2, total);
      repair_checksum(frame);
      ASSERT_NO_FATAL_FAILURE(check(frame)) << total << " in " << size;
    }
  }
  for (const std::uint32_t size : {1513U, 1514U, 1515U, 9014U, 65548U, 65549U, 65550U, 100'000U}) {
    for (const unsigned total : {1499U, 1500U, 1501U, 9000U, 65534U, 65535U}) {
      Frame frame = make_frame();
      frame.size = size;
      set16(frame.bytes, ethernet_header_size + 2, total);
      repair_checksum(frame);
      ASSERT_NO_FATAL_FAILURE(check(frame)) << total << " in " << size;
    }
  }
}

// The sum's carries: words of edge values only.
TEST(PlainFrames, RandomHeadersOfEdgeValues) {
  constexpr std::uint16_t edges[] = {0x0000, 0x0001, 0x00ff, 0x0100, 0x7fff,
                                     0x8000, 0xfeff, 0xff00, 0xfffe, 0xffff};
  std::mt19937 random(7);
  unsigned plain = 0;
  for (int round = 0; round < 50'000; ++round) {
    std::array<Frame, 4> frames;
    for (Frame& frame : frames) {
      frame = make_frame();
      // Identification, checksum, addresses' lower halves, ports.
      for (const std::size_t at : {18U, 24U, 28U, 32U, 34U, 36U}) {
        set16(frame.bytes, at, edges[random() % std::size(edges)]);
      }
      if (random() % 8 != 0) {
        repair_checksum(frame);
      }
      plain += expected(frame, station) ? 1 : 0;
    }
    ASSERT_NO_FATAL_FAILURE(check_four(frames, station));
  }
  EXPECT_GT(plain, 100'000U);
}

TEST(PlainFrames, MutatedFrames) {
  std::mt19937 random(8);
  unsigned all_plain = 0;
  for (int round = 0; round < 50'000; ++round) {
    const Station& to = random() % 2 == 0 ? station : any_station;
    std::array<Frame, 4> frames{make_frame(), make_frame(100), make_frame(1500), make_frame(28)};
    bool plain = true;
    for (Frame& frame : frames) {
      set32(frame.bytes, 26, static_cast<std::uint32_t>(random()));
      set32(frame.bytes, 30, static_cast<std::uint32_t>(random()));
      frame.bytes[23] = random() % 2 == 0 ? 6 : 17;
      if (random() % 2 != 0) {
        frame.bytes[random() % plain_minimum] = static_cast<std::uint8_t>(random());
      }
      if (random() % 16 != 0) {
        repair_checksum(frame);
      }
      plain = plain && expected(frame, to);
    }
    all_plain += plain ? 1 : 0;
    ASSERT_NO_FATAL_FAILURE(check_four(frames, to));
  }
  EXPECT_GT(all_plain, 250U) << "most comparisons would be of refusals";
}

}  // namespace
}  // namespace sekisho::packet::test
