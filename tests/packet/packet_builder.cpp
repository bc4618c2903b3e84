// SPDX-License-Identifier: BSD-3-Clause
#include "tests/packet/packet_builder.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <cstddef>
#include <stdexcept>
#include <string>

namespace sekisho::test {
namespace {

std::uint32_t parse(std::string_view text) {
  in_addr address{};
  if (inet_pton(AF_INET, std::string(text).c_str(), &address) != 1) {
    throw std::invalid_argument("no address: " + std::string(text));
  }
  return ntohl(address.s_addr);
}

void put16(Bytes& bytes, std::size_t at, std::uint32_t value) {
  bytes[at] = static_cast<std::uint8_t>(value >> 8);
  bytes[at + 1] = static_cast<std::uint8_t>(value);
}

void put32(Bytes& bytes, std::size_t at, std::uint32_t value) {
  put16(bytes, at, value >> 16);
  put16(bytes, at + 2, value);
}

}  // namespace

Packet& Packet::from(std::string_view address) {
  return from(parse(address));
}
Packet& Packet::to(std::string_view address) {
  return to(parse(address));
}

Packet& Packet::icmp_error(unsigned type, const Packet& quoted) {
  protocol_ = 1;
  message_ = {static_cast<std::uint8_t>(type), 0, 0, 0, 0, 0, 0, 0};
  const Bytes frame = quoted.bytes();
  const auto most = std::min<std::size_t>(frame.size(), 14 + 28);  // the header and eight bytes (RFC 792)
  message_.insert(message_.end(), frame.begin() + 14, frame.begin() + static_cast<std::ptrdiff_t>(most));
  size_ = static_cast<std::uint16_t>(20 + message_.size());
  return *this;
}

Packet& Packet::segment(Bytes tcp) {
  protocol_ = 6;
  message_ = std::move(tcp);
  size_ = static_cast<std::uint16_t>(20 + message_.size());
  return *this;
}

std::uint16_t header_checksum(const std::uint8_t* header, std::size_t size) {
  std::uint32_t sum = 0;
  for (std::size_t at = 0; at + 1 < size; at += 2) {
    sum += at == 10 ? 0U : header[at] * 256U + header[at + 1];
    sum = sum > 0xffff ? sum - 0xffff : sum;
  }
  return static_cast<std::uint16_t>(~sum);
}

Bytes Packet::bytes() const {
  const std::size_t header_size = 20 + options_.size();
  Bytes ip(std::max<std::size_t>(size_, header_size));
  ip[0] = static_cast<std::uint8_t>(version_ << 4 |
                                    header_words_.value_or(static_cast<unsigned>(header_size / 4)));
  ip[1] = tos_;
  put16(ip, 2, total_length_.value_or(static_cast<std::uint16_t>(ip.size())));
  put16(ip, 4, id_);
  put16(ip, 6, fragment_);
  ip[8] = ttl_;
  ip[9] = protocol_;
  put32(ip, 12, source_);
  put32(ip, 16, destination_);
  std::copy(options_.begin(), options_.end(), ip.begin() + 20);
  for (std::size_t at = header_size; at < ip.size(); ++at) {
    ip[at] = static_cast<std::uint8_t>(at);
  }
  if (ip.size() >= header_size + 4) {
    put16(ip, header_size, source_port_);
    put16(ip, header_size + 2, destination_port_);
  }
  if (!message_.empty()) {
    ip.resize(header_size);
    ip.insert(ip.end(), message_.begin(), message_.end());
  }
  // Over the header that the packet claims to have, as far as there are bytes: a lie is told consistently.
  const std::size_t claimed = header_words_ ? std::max<std::size_t>(*header_words_ * 4, 20) : header_size;
  put16(ip, 10, checksum_.value_or(header_checksum(ip.data(), std::min(claimed, ip.size()))));

  Bytes frame(mac_destination_.begin(), mac_destination_.end());
  frame.insert(frame.end(), mac_source_.begin(), mac_source_.end());
  frame.push_back(static_cast<std::uint8_t>(ether_type_ >> 8));
  frame.push_back(static_cast<std::uint8_t>(ether_type_));
  frame.insert(frame.end(), ip.begin(), ip.end());
  frame.insert(frame.end(), trailer_, 0xee);
  frame.resize(truncate_.value_or(frame.size()));
  return frame;
}

}  // namespace sekisho::test
