// SPDX-License-Identifier: BSD-3-Clause
// The frames that a trial sends again and again, each with a stamp of its own.
#pragma once

#include <rte_mbuf.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <optional>
#include <vector>

namespace sekisho::bench {

// Lies in the UDP payload of every frame: Ethernet, IPv4 without options and UDP come before it. A router leaves it alone.
struct Stamp {
  static constexpr std::uint32_t mark = 0x53454b49;
  static constexpr std::size_t offset = 14 + 20 + 8;
  std::uint32_t magic = mark;
  std::uint32_t trial = 0;
  std::uint64_t sent = 0;  // TSC
};
static_assert(sizeof(Stamp) == 16, "fits the 22 bytes that a frame of 64 has for it");

[[nodiscard]] inline auto stamp_of(const rte_mbuf& packet) noexcept -> std::optional<Stamp> {
  Stamp stamp;
  if (rte_pktmbuf_data_len(&packet) < Stamp::offset + sizeof stamp)
    return std::nullopt;
  std::memcpy(&stamp, rte_pktmbuf_mtod_offset(&packet, const char*, Stamp::offset), sizeof stamp);
  return stamp.magic == Stamp::mark ? std::optional{stamp} : std::nullopt;
}

// In turns, without end.
class Frames {
 public:
  // Of a capture of UDP datagrams whose checksum is zero, "none" (RFC 768): a stamp changes what it would cover.
  // Throws std::runtime_error.
  explicit Frames(const std::filesystem::path& capture);

  void write_next(rte_mbuf& packet, const Stamp& stamp) noexcept {
    const auto& frame = frames_[next_];
    next_ = next_ + 1 == frames_.size() ? 0 : next_ + 1;
    auto* data = rte_pktmbuf_mtod(&packet, char*);
    std::memcpy(data, frame.data(), frame.size());
    std::memcpy(data + Stamp::offset, &stamp, sizeof stamp);
    packet.data_len = static_cast<std::uint16_t>(frame.size());
    packet.pkt_len = packet.data_len;
  }

 private:
  std::vector<std::vector<char>> frames_;
  std::size_t next_ = 0;
};

}  // namespace sekisho::bench
