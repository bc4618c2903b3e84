// SPDX-License-Identifier: BSD-3-Clause
// A frame, said in words: `packet().from("172.16.0.1").to("8.8.8.8").ttl(2)`. What is not said is valid;
// lengths and the checksum follow from the rest unless a lie is asked for. Knows nothing of the code under
// test.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace sekisho::test {

using Bytes = std::vector<std::uint8_t>;
using Mac = std::array<std::uint8_t, 6>;

class Packet {
 public:
  Packet& from(std::string_view address);
  Packet& to(std::string_view address);
  Packet& from(std::uint32_t address) { return source_ = address, *this; }
  Packet& to(std::uint32_t address) { return destination_ = address, *this; }
  Packet& udp(std::uint16_t source, std::uint16_t destination) { return transport(17, source, destination); }
  Packet& tcp(std::uint16_t source, std::uint16_t destination) { return transport(6, source, destination); }
  Packet& protocol(std::uint8_t number) { return protocol_ = number, *this; }
  // Of this type, quoting the header and the first eight bytes behind it of what is complained of.
  Packet& icmp_error(unsigned type, const Packet& quoted);
  Packet& segment(Bytes tcp);  // behind a header without options
  Packet& ttl(std::uint8_t value) { return ttl_ = value, *this; }
  Packet& tos(std::uint8_t value) { return tos_ = value, *this; }
  Packet& id(std::uint16_t value) { return id_ = value, *this; }
  Packet& fragment(std::uint16_t flags_and_offset) { return fragment_ = flags_and_offset, *this; }
  Packet& options(Bytes bytes) { return options_ = std::move(bytes), *this; }  // a multiple of 4
  Packet& size(std::uint16_t datagram) { return size_ = datagram, *this; }     // the payload fills it
  Packet& macs(Mac destination, Mac source) {
    return mac_destination_ = destination, mac_source_ = source, *this;
  }

  // Lies and accidents.
  Packet& version(unsigned value) { return version_ = value, *this; }
  Packet& header_words(unsigned value) { return header_words_ = value, *this; }
  Packet& total_length(std::uint16_t value) { return total_length_ = value, *this; }
  Packet& checksum(std::uint16_t value) { return checksum_ = value, *this; }
  Packet& ether_type(std::uint16_t value) { return ether_type_ = value, *this; }
  Packet& trailer(std::size_t bytes) { return trailer_ = bytes, *this; }  // behind the datagram
  Packet& truncate(std::size_t frame_size) { return truncate_ = frame_size, *this; }

  [[nodiscard]] Bytes bytes() const;
  [[nodiscard]] std::uint32_t source() const { return source_; }
  [[nodiscard]] std::uint32_t destination() const { return destination_; }
  [[nodiscard]] std::uint8_t ttl() const { return ttl_; }

 private:
  Packet& transport(std::uint8_t number, std::uint16_t source, std::uint16_t destination) {
    protocol_ = number;
    source_port_ = source;
    destination_port_ = destination;
    return *this;
  }

  Mac mac_destination_{0x02, 0, 0, 0, 0xff, 1};
  Mac mac_source_{0x02, 0, 0, 0, 0xff, 2};
  std::uint16_t ether_type_ = 0x0800;
  std::uint32_t source_ = 0;
  std::uint32_t destination_ = 0;
  std::uint8_t protocol_ = 17;
  std::uint16_t source_port_ = 40000;
  std::uint16_t destination_port_ = 443;
  std::uint8_t ttl_ = 64;
  std::uint8_t tos_ = 0;
  std::uint16_t id_ = 0x1234;
  std::uint16_t fragment_ = 0;
  Bytes options_;
  Bytes message_;  // instead of ports and what follows them
  std::uint16_t size_ = 60;
  unsigned version_ = 4;
  std::optional<unsigned> header_words_;
  std::optional<std::uint16_t> total_length_;
  std::optional<std::uint16_t> checksum_;
  std::size_t trailer_ = 0;
  std::optional<std::size_t> truncate_;
};

// A UDP packet from an on-premises host to the Internet.
inline Packet packet() {
  return Packet().from("172.16.0.1").to("8.8.8.8");
}

// RFC 791's sum over the 16-bit words of a header, its own field taken as zero.
[[nodiscard]] std::uint16_t header_checksum(const std::uint8_t* header, std::size_t size);

}  // namespace sekisho::test
