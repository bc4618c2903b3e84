// SPDX-License-Identifier: BSD-3-Clause
// Arbitrary bytes through all of packet/, as the pipeline calls it. Whatever a frame says: nothing behind its
// end is read, and one that is accepted leaves with a header that is accepted again.
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "common/base/special_address.hpp"
#include "control/capture/frame.hpp"
#include "dataplane/packet/checksum.hpp"
#include "dataplane/packet/ethernet.hpp"
#include "dataplane/packet/flow_hash.hpp"
#include "dataplane/packet/icmp_error.hpp"
#include "dataplane/packet/ipv4.hpp"
#include "dataplane/packet/mss.hpp"
#include "dataplane/packet/options.hpp"
#include "dataplane/packet/unfinished_checksum.hpp"

using namespace sekisho::packet;

namespace {

void require(bool good) {
  if (!good) {
    std::abort();
  }
}

// The fuzzer hardly guesses a checksum: each input is also tried with the right one.
void set_checksum(std::vector<std::uint8_t>& frame) {
  std::uint8_t* const header = frame.data() + ethernet_header_size;
  const std::size_t size = Ipv4View(header).header_size();
  if (size < ipv4_header_minimum || frame.size() < ethernet_header_size + size) {
    return;
  }
  std::uint32_t sum = 0;
  for (std::size_t at = 0; at < size; at += 2) {
    sum += at == 10 ? 0U : header[at] * 256U + header[at + 1];
  }
  sum = (sum & 0xffff) + (sum >> 16);
  sum = (sum & 0xffff) + (sum >> 16);
  store_be16(header + 10, static_cast<std::uint16_t>(~sum));
}

// The error about a packet is a valid one, is about nothing but it, takes its flow's way, and is answered by none.
void complain(Ipv4View about, std::size_t readable) {
  const std::size_t quoted = std::min<std::size_t>(readable, about.total_length());
  for (unsigned kind = 0; kind < icmp_error_count; ++kind) {
    const std::size_t most = ipv4_header_minimum + icmp_header_size + std::min(quoted, quote_maximum);
    std::vector<std::uint8_t> datagram(most);
    datagram.shrink_to_fit();
    const IcmpMessage message{.error = IcmpError(kind), .from = 0x0a00'0001, .mtu = 1400};
    require(build_icmp_error(message, about.data(), quoted, datagram.data()) == most);
    require(most <= icmp_error_maximum);
    const Ipv4View error(datagram.data());
    require(validate_ipv4(error.data(), most, most) == HeaderFault::none);
    require(error.total_length() == most && error.destination() == about.source());
    require(!may_be_answered(error, most));
    require(std::equal(about.data(), about.data() + std::min(quoted, quote_maximum), datagram.data() + 28));
    if (about.protocol() != Protocol::icmp) {
      require(flow_hash(related_flow(error, most)) ==
              flow_hash(flow_of(about, std::min(quoted, quote_maximum))));
    }
  }
}

// What is lowered says no more than that, has as right a checksum as before, and is otherwise the same.
void clamp(std::vector<std::uint8_t> frame) {
  constexpr std::uint16_t most = 1000;
  std::uint8_t* const header = frame.data() + ethernet_header_size;
  const std::size_t readable = frame.size() - ethernet_header_size;
  const Ipv4View ip(header);
  const std::size_t length = ip.total_length() - ip.header_size();
  const auto sum = [&] { return checksum(header + ip.header_size(), length) % 0xffff; };
  const auto before = sum();
  const bool lowered = lower_mss(header, readable, most);
  require(sum() == before);
  require(!lower_mss(header, readable, most) || !lowered);
}

// What is filled is a header as right as before, with a list that may be filled again.
void fill(std::vector<std::uint8_t> frame, const OptionPolicy& policy) {
  std::uint8_t* const header = frame.data() + ethernet_header_size;
  const Ipv4View ip(header);
  const auto before = examine_options(ip, policy);
  require(before.at < ip.header_size());
  if (!before.to_fill) {
    return;
  }
  require(ip.header_size() > ipv4_header_minimum && before.fault == OptionFault::none);
  static_cast<void>(named_for_timestamp(ip, policy));
  fill_options(header, policy, {.address = 0x0a00'0001, .milliseconds = 1, .is_named = true});
  require(validate_ipv4(header, frame.size() - ethernet_header_size, frame.size() - ethernet_header_size) ==
          HeaderFault::none);
  const auto after = examine_options(ip, policy);
  require(after.fault == OptionFault::none || after.fault == OptionFault::malformed);
}

void forward(std::vector<std::uint8_t> frame) {
  if (frame.size() < ethernet_header_size) {
    return;
  }
  const EthernetView ethernet(frame.data());
  const EtherType type = ethernet.type();
  static_cast<void>(ethernet.to_group());
  std::uint8_t* const header = frame.data() + ethernet_header_size;
  const std::size_t arrived = frame.size() - ethernet_header_size;
  if (validate_ipv4(header, arrived, arrived) != HeaderFault::none) {
    return;
  }
  const Ipv4View ip(header);
  static_cast<void>(sekisho::base::check_addresses(ip.source(), ip.destination()));
  if (may_be_answered(ip, arrived)) {
    require(ip.fragment_offset() == 0);
    complain(ip, arrived);
  }
  static_cast<void>(has_unfinished_checksum(ip, arrived));
  if (is_syn(ip, arrived)) {
    clamp(frame);
  }
  for (const auto handling : {OptionHandling::fill, OptionHandling::ignore, OptionHandling::refuse}) {
    fill(frame, {.source_routes_pass = true, .record_route = handling, .timestamp = handling});
  }
  const Flow flow = flow_of(ip, arrived);
  const Flow back{flow.destination, flow.source, flow.protocol, flow.destination_port, flow.source_port};
  require(flow_hash(flow) == flow_hash(back));
  const Flow related = related_flow(ip, arrived);
  require(ip.protocol() == Protocol::icmp || flow_hash(related) == flow_hash(flow));
  require(address_hash(flow) == address_hash(back));
  if (ip.ttl() <= 1) {
    return;
  }
  const std::uint8_t ttl = ip.ttl();
  decrement_ttl(header);
  rewrite_stations(frame.data(), {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2});
  require(ip.ttl() == ttl - 1);
  require(EthernetView(frame.data()).type() == type);
  require(validate_ipv4(header, arrived, arrived) == HeaderFault::none);
  require(flow_hash(flow_of(ip, arrived)) == flow_hash(flow));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::vector<std::uint8_t> frame(data, data + size);
  frame.shrink_to_fit();
  static_cast<void>(sekisho::capture::to_text(sekisho::capture::read_frame(frame, size)));
  forward(frame);
  if (size >= ethernet_header_size + ipv4_header_minimum) {
    set_checksum(frame);
    forward(frame);
  }
  return 0;
}
