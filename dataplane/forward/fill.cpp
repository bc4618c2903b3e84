// SPDX-License-Identifier: BSD-3-Clause
// What IPv4 options ask of a router on the way: RFC 791, 3.1, record route and timestamp.
#include <time.h>

#include "dataplane/forward/stages.hpp"
#include "dataplane/forward/world.hpp"
#include "dataplane/packet/ethernet.hpp"
#include "dataplane/packet/ipv4.hpp"
#include "dataplane/packet/options.hpp"

namespace sekisho::forward {
namespace {

// The C library reads the clock without asking the kernel.
std::uint32_t milliseconds_since_midnight() noexcept {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  constexpr time_t day = 86'400;
  return static_cast<std::uint32_t>(now.tv_sec % day * 1'000 + now.tv_nsec / 1'000'000);
}

}  // namespace

// RFC 1812, 4.2.2.2: "When a router inserts its address into a Record Route, [...] or Timestamp option, it MUST use the IP address of the
// logical interface on which the packet is being sent. Where this rule cannot be obeyed because the output interface has no IP
// address", another of ours; where we have none, nothing.
void fill_one(const Context& context, const Burst& burst, unsigned at, PortIndex egress) noexcept {
  const auto& state = context.state;
  std::uint8_t* const header = burst.frames[at] + packet::ethernet_header_size;
  const auto of_egress = state.host[egress].address;
  const auto address = of_egress != 0 ? of_egress : state.host[context.ingress.port].address;
  if (address == 0) {
    return;
  }
  const auto named = packet::named_for_timestamp(packet::Ipv4View(header), state.options);
  packet::fill_options(header, state.options,
                       {.address = address,
                        .milliseconds = milliseconds_since_midnight(),
                        .is_named = named != 0 && ZoneIndex{state.sources->lookup(named)} == own_sources});
}

void fill(const Context& context, const Burst& burst) noexcept {
  for_each_bit(burst.to_fill, [&](unsigned at) { fill_one(context, burst, at, burst.rewrites[at]->port); });
}

}  // namespace sekisho::forward
