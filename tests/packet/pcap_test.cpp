// SPDX-License-Identifier: BSD-3-Clause
// Frames of the wild: each `edge-*.pcap` beside an `edge-*.tsv` that names each frame's class. A small set of
// our own is always there; where the folder of real ones is found (SEKISHO_DATA, or shared/data beside the
// source tree), those too.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "tests/packet/lab.hpp"

namespace sekisho::test {
namespace {

struct Frame {
  std::string name;  // file and number
  std::string type;  // the class
  Bytes bytes;
};

std::uint32_t little32(const Bytes& bytes, std::size_t at) {
  return bytes.at(at) | bytes.at(at + 1) << 8 | bytes.at(at + 2) << 16 |
         static_cast<std::uint32_t>(bytes.at(at + 3)) << 24;
}

// The classic little-endian pcap of Ethernet frames, which is all that the folders hold.
std::vector<Frame> read(const std::filesystem::path& pcap) {
  std::ifstream file(pcap, std::ios::binary);
  const Bytes bytes((std::istreambuf_iterator<char>(file)), {});
  EXPECT_EQ(little32(bytes, 0), 0xa1b2c3d4U) << pcap;
  std::vector<Frame> frames;
  for (std::size_t at = 24; at < bytes.size();) {
    const std::uint32_t size = little32(bytes, at + 8);
    at += 16;
    frames.push_back({pcap.filename().string() + " #" + std::to_string(frames.size() + 1), "",
                      Bytes(bytes.begin() + static_cast<std::ptrdiff_t>(at),
                            bytes.begin() + static_cast<std::ptrdiff_t>(at + size))});
    at += size;
  }
  std::ifstream table(std::filesystem::path(pcap).replace_extension(".tsv"));
  std::string line;
  std::getline(table, line);
  for (Frame& frame : frames) {
    std::getline(table, line);
    std::istringstream fields(line);
    std::string number;
    std::getline(fields, number, '\t');
    std::getline(fields, frame.type, '\t');
  }
  EXPECT_FALSE(frames.empty()) << pcap;
  return frames;
}

std::vector<Frame> read_folder(const std::filesystem::path& folder) {
  std::set<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() == ".pcap" && entry.path().filename().string().starts_with("edge-")) {
      files.insert(entry.path());
    }
  }
  std::vector<Frame> frames;
  for (const auto& file : files) {
    auto more = read(file);
    frames.insert(frames.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
  }
  return frames;
}

// What may become of a class; "forwarded" and names of drop reasons. Of a class that is not here anything
// may: its frames have other properties besides, which come first.
using Verdicts = std::set<std::string>;
const std::map<std::string, Verdicts> verdicts_of_class = {
    {"arp", {"no_host_companion"}},
    {"other_eth", {"not_ipv4"}},
    {"short_eth", {"frame_too_short"}},
    {"v4_bad_csum", {"bad_checksum"}},
    {"v4_bad_ihl", {"bad_header_length"}},
    {"v4_bad_version", {"bad_version"}},
    {"v4_fragment", {"forwarded"}},
    {"v4_land", {"forwarded", "link_broadcast"}},
    {"v4_loopback", {"martian_source", "martian_destination"}},
    {"v4_martian_src", {"martian_source"}},
    {"v4_mcast_bcast", {"multicast"}},
    {"v4_totlen_gt_frame", {"bad_total_length"}},
    {"v4_totlen_lt_ihl", {"bad_header_length"}},
    {"v4_trunc_hdr", {"frame_too_short"}},
    {"v4_ttl_le1", {"ttl_expired", "multicast", "martian_source"}},
};

// The classes look behind VLAN tags and at one property only; the order of the pipeline's checks comes on
// top.
std::optional<Verdicts> expected_of(const Frame& frame) {
  const Bytes& bytes = frame.bytes;
  if (bytes.size() >= 14 && bytes[12] == 0x08 && bytes[13] == 0x00 && (bytes[6] & 1) != 0) {
    return Verdicts{"bad_sender"};
  }
  if (bytes.size() >= 34) {
    const unsigned type = bytes[12] * 256U + bytes[13];
    if (type == 0x8100 || type == 0x88a8) {
      return Verdicts{"vlan_tagged"};
    }
    if (type == 0x9100) {
      return Verdicts{"not_ipv4"};
    }
    const std::size_t header = (bytes[14] & 15U) * 4;
    if (type == 0x0800 && bytes[14] >> 4 == 4 && header >= 20 && bytes.size() >= 14 + header &&
        header_checksum(bytes.data() + 14, header) != bytes[24] * 256U + bytes[25]) {
      return Verdicts{"bad_checksum"};
    }
  }
  const auto found = verdicts_of_class.find(frame.type);
  return found == verdicts_of_class.end() ? std::nullopt : std::optional(found->second);
}

// As the pipeline takes it: a tag of VID 0 is of no VLAN.
Frame untagged(Frame frame) {
  Bytes& bytes = frame.bytes;
  const bool tagged = bytes.size() >= 18 &&
                      ((bytes[12] == 0x81 && bytes[13] == 0x00) || (bytes[12] == 0x88 && bytes[13] == 0xa8));
  if (tagged && (bytes[14] & 0x0f) == 0 && bytes[15] == 0) {
    bytes.erase(bytes.begin() + 12, bytes.begin() + 16);
  }
  return frame;
}

// Everybody may send anything by this port, and it all goes one way: only the packet itself decides.
class Wild : public testing::Test {
 protected:
  Wild() {
    EXPECT_TRUE(sources_->apply(std::vector<fib::Route>{{{0, 0}, value_of(onprem_zone)}}));
    EXPECT_TRUE(table_->apply(std::vector<fib::Route>{{{0, 0}, value_of(vnet)}}));
    state_ = lab().state;
    state_.sources = sources_.get();
    state_.zone(onprem_zone) = {1U << lan, table_.get()};
    lab().worker->set_state(&state_);
  }
  ~Wild() override { lab().worker->set_state(&lab().state); }

  void check(const std::vector<Frame>& frames) {
    for (const Frame& frame : frames) {
      const Counts before = lab().counts();
      lab().send(lan, frame.bytes);
      ASSERT_EQ(lab().poll(), 1U);
      const auto out = lab().sent(spoke);
      std::string verdict = "forwarded";
      const Counts after = lab().counts();
      for (const auto& [reason, value] : after.ports[lan].drops) {
        const auto old = before.ports[lan].drops.find(reason);
        if (old == before.ports[lan].drops.end() || old->second != value) {
          verdict = reason;
        }
      }
      ASSERT_EQ(out.size(), verdict == "forwarded" ? 1U : 0U) << frame.name;
      const Frame taken = untagged(frame);
      if (const auto expected = expected_of(taken)) {
        EXPECT_TRUE(expected->contains(verdict))
            << frame.name << " of class " << frame.type << ": " << verdict;
      }
      if (!out.empty()) {
        check_forwarded(taken, out[0]);
      }
    }
    expect_all_accounted(lab());
    // All at once as well: what a burst does to one packet must not depend on the others.
    const Counts before = lab().counts();
    for (std::size_t at = 0; at < frames.size(); at += 128) {
      for (std::size_t i = at; i < std::min(at + 128, frames.size()); ++i) {
        lab().send(lan, frames[i].bytes);
      }
      lab().poll();
      lab().sent(spoke);
    }
    EXPECT_EQ(lab().counts().ports[lan].rx_packets - before.ports[lan].rx_packets, frames.size());
    expect_all_accounted(lab());
  }

  static void check_forwarded(const Frame& frame, const Bytes& out) {
    ASSERT_LE(out.size(), frame.bytes.size()) << frame.name;
    Bytes expected(frame.bytes.begin(), frame.bytes.begin() + static_cast<std::ptrdiff_t>(out.size()));
    const Mac to = mac_of(vnet_router);
    const Mac from = mac_of_port(spoke);
    std::copy(to.begin(), to.end(), expected.begin());
    std::copy(from.begin(), from.end(), expected.begin() + 6);
    --expected[22];
    const std::uint16_t sum = header_checksum(expected.data() + 14, (expected[14] & 15U) * 4);
    expected[24] = static_cast<std::uint8_t>(sum >> 8);
    expected[25] = static_cast<std::uint8_t>(sum);
    EXPECT_EQ(out, expected) << frame.name;
  }

  std::unique_ptr<fib::Fib> sources_ = fib::Fib::create(lab().qsbr).value();
  std::unique_ptr<fib::Fib> table_ = fib::Fib::create(lab().qsbr).value();
  forward::ForwardingState state_;
};

TEST_F(Wild, OurOwn) {
  check(read_folder(SEKISHO_PACKET_FIXTURES));
}

TEST_F(Wild, OfTheFolder) {
  const char* const given = std::getenv("SEKISHO_DATA");
  const auto folder = std::filesystem::path(given != nullptr ? given : SEKISHO_BESIDE) / "pcap";
  if (std::filesystem::is_directory(folder)) {
    check(read_folder(folder));
  }
}

}  // namespace
}  // namespace sekisho::test
