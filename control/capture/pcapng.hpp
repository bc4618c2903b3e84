// SPDX-License-Identifier: BSD-3-Clause
// Frames as a pcapng file (draft-ietf-opsawg-pcapng), an interface a port: for Wireshark, tshark and tcpdump. DPDK's own writer
// (librte_pcapng of 22.11) has neither names of interfaces that are no ethdev's nor comments.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>

namespace sekisho::capture {

class Pcapng {
 public:
  struct Packet {
    std::string_view port;
    std::uint64_t unix_ns = 0;
    std::uint32_t size = 0;              // of the whole frame
    std::span<const std::uint8_t> kept;  // its beginning
    bool outbound = false;
    std::string_view comment = {};  // empty: none
  };

  // `program`: who writes it. The section's header is the first of what take() gives.
  Pcapng(std::string_view program, std::uint32_t snap_length);

  // Begins an interface with the first packet of a port.
  void add(const Packet& packet);
  // Last: how many packets were lost, of all ports together.
  void add_lost(std::uint64_t unix_ns, std::uint64_t lost);

  // Blocks that were added since the last time.
  [[nodiscard]] std::string take();
  // Of all blocks so far.
  [[nodiscard]] std::uint64_t size() const noexcept { return taken_ + bytes_.size(); }

 private:
  [[nodiscard]] std::uint32_t interface_of(std::string_view port);

  std::uint32_t snap_length_;
  std::map<std::string, std::uint32_t, std::less<>> interfaces_;
  std::string bytes_;
  std::uint64_t taken_ = 0;
};

}  // namespace sekisho::capture
