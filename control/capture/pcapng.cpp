// SPDX-License-Identifier: BSD-3-Clause
#include "control/capture/pcapng.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace sekisho::capture {
namespace {

// "4.1. Section Header Block", and so on.
enum class Block : std::uint32_t {
  section_header = 0x0A0D'0D0A,
  interface_description = 1,
  interface_statistics = 5,
  enhanced_packet = 6
};
enum class Option : std::uint16_t {
  end = 0,
  comment = 1,
  section_application = 4,
  interface_name = 2,
  interface_time_resolution = 9,
  packet_flags = 2,
  statistics_dropped_by_interface = 5
};
constexpr std::uint32_t byte_order = 0x1A2B'3C4D;
constexpr std::uint16_t link_type_ethernet = 1;
constexpr std::uint8_t nanoseconds = 9;  // ten to the power of minus nine
// "Bits 0-1: Inbound / Outbound packet (... 01 = inbound, 10 = outbound)"
constexpr std::uint32_t inbound = 1;
constexpr std::uint32_t outbound = 2;

// Numbers are written as this machine has them; the section's header says which way that is.
template <class Number>
void put(std::string& bytes, Number number) {
  bytes.append(reinterpret_cast<const char*>(&number), sizeof(number));
}

// "padded to a 32-bit boundary"
void put_padded(std::string& bytes, std::string_view content) {
  bytes.append(content).append((4 - content.size() % 4) % 4, '\0');
}

void put_option(std::string& body, Option option, std::string_view content) {
  content = content.substr(0, std::numeric_limits<std::uint16_t>::max());
  put(body, static_cast<std::uint16_t>(option));
  put(body, static_cast<std::uint16_t>(content.size()));
  put_padded(body, content);
}
template <class Number>
void put_number(std::string& body, Option option, Number number) {
  put_option(body, option, {reinterpret_cast<const char*>(&number), sizeof(number)});
}

// "a timestamp ... The upper 32 bits ... the lower 32 bits"
void put_time(std::string& body, std::uint64_t unix_ns) {
  put(body, static_cast<std::uint32_t>(unix_ns >> 32));
  put(body, static_cast<std::uint32_t>(unix_ns));
}

// Its length stands before and behind it, "to allow backward file navigation".
void put_block(std::string& bytes, Block type, std::string body) {
  put_option(body, Option::end, {});
  const auto length = static_cast<std::uint32_t>(body.size() + 12);
  put(bytes, static_cast<std::uint32_t>(type));
  put(bytes, length);
  bytes.append(body);
  put(bytes, length);
}

}  // namespace

Pcapng::Pcapng(std::string_view program, std::uint32_t snap_length) : snap_length_{snap_length} {
  std::string body;
  put(body, byte_order);
  put(body, std::uint16_t{1});  // version 1.0
  put(body, std::uint16_t{0});
  put(body, std::int64_t{-1});  // the section's length is not known
  put_option(body, Option::section_application, program);
  put_block(bytes_, Block::section_header, std::move(body));
}

std::uint32_t Pcapng::interface_of(std::string_view port) {
  if (const auto found = interfaces_.find(port); found != interfaces_.end()) {
    return found->second;
  }
  std::string body;
  put(body, link_type_ethernet);
  put(body, std::uint16_t{0});
  put(body, snap_length_);
  put_option(body, Option::interface_name, port);
  put_number(body, Option::interface_time_resolution, nanoseconds);
  put_block(bytes_, Block::interface_description, std::move(body));
  return interfaces_.emplace(port, static_cast<std::uint32_t>(interfaces_.size())).first->second;
}

void Pcapng::add(const Packet& packet) {
  std::string body;
  put(body, interface_of(packet.port));
  put_time(body, packet.unix_ns);
  put(body, static_cast<std::uint32_t>(packet.kept.size()));
  put(body, packet.size);
  put_padded(body, {reinterpret_cast<const char*>(packet.kept.data()), packet.kept.size()});
  put_number(body, Option::packet_flags, packet.outbound ? outbound : inbound);
  if (!packet.comment.empty()) {
    put_option(body, Option::comment, packet.comment);
  }
  put_block(bytes_, Block::enhanced_packet, std::move(body));
}

void Pcapng::add_lost(std::uint64_t unix_ns, std::uint64_t lost) {
  if (interfaces_.empty()) {
    return;  // there is nothing that could have them
  }
  std::string body;
  put(body, std::uint32_t{0});
  put_time(body, unix_ns);
  put_number(body, Option::statistics_dropped_by_interface, lost);
  put_option(body, Option::comment, "packets lost on all ports together");
  put_block(bytes_, Block::interface_statistics, std::move(body));
}

std::string Pcapng::take() {
  taken_ += bytes_.size();
  return std::exchange(bytes_, {});
}

}  // namespace sekisho::capture
