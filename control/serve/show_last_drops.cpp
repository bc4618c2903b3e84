// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <span>
#include <string>

#include "control/capture/frame.hpp"
#include "control/serve/reasons.hpp"
#include "control/serve/show.hpp"

namespace sekisho::serve {
namespace {

Json ip_json(const capture::Ipv4& ip) {
  return {{"source", base::address_to_string(ip.source)},
          {"destination", base::address_to_string(ip.destination)},
          {"protocol", capture::protocol_name(ip.protocol)},
          {"source_port", ip.ports ? Json(ip.ports->source) : Json(nullptr)},
          {"destination_port", ip.ports ? Json(ip.ports->destination) : Json(nullptr)},
          {"ttl", ip.ttl},
          {"length", ip.length},
          {"fragment_offset", ip.offset},
          {"more_fragments", ip.more_fragments}};
}

std::string hex(const std::string& bytes) {
  std::string text;
  for (const char byte : bytes) {
    text += fmt::format("{:02x}", static_cast<std::uint8_t>(byte));
  }
  return text;
}

}  // namespace

Json show_last_drops(const ipc::LastDrops& said) {
  auto result = Json::array();
  for (const auto& packet : said.packets()) {
    const auto& bytes = packet.frame();
    const auto frame = capture::read_frame(
        {reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()}, packet.size());
    result.push_back({{"port", packet.port()},
                      {"reason", packet.reason()},
                      {"age_seconds", static_cast<double>(packet.age_us()) / 1e6},
                      {"packet", to_text(frame)},
                      {"generated", packet.generated()},
                      {"size", packet.size()},
                      {"from", frame.from ? Json(base::mac_to_string(*frame.from)) : Json(nullptr)},
                      {"to", frame.to ? Json(base::mac_to_string(*frame.to)) : Json(nullptr)},
                      {"ether_type", frame.ether_type ? Json(*frame.ether_type) : Json(nullptr)},
                      {"ip", frame.ip ? ip_json(*frame.ip) : Json(nullptr)},
                      {"frame", hex(bytes)},
                      {"sentence", sentence_of(packet.reason())}});
  }
  return result;
}

}  // namespace sekisho::serve
