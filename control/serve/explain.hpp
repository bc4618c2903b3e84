// SPDX-License-Identifier: BSD-3-Clause
// Why a packet goes where it goes: every step of the decision, with what the operator wrote at the end of
// each. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "control/netlink/netlink.hpp"
#include "control/policy/policy.hpp"
#include "control/serve/json.hpp"
#include "control/sync/transaction.hpp"
#include "dataplane.pb.h"
#include "dataplane/decide/decide.hpp"

namespace sekisho::serve {

struct Flow {
  std::uint32_t source = 0;
  std::uint32_t destination = 0;
  std::string port;  // empty: any port that the source's zone allows
  packet::Protocol protocol = packet::Protocol::icmp;
  std::uint16_t source_port = 0;
  std::uint16_t destination_port = 0;
};

// "tcp", "udp", "icmp", or the number, of 0 to 255.
[[nodiscard]] auto protocol_named(std::string_view text) -> std::optional<packet::Protocol>;
[[nodiscard]] std::string protocol_name(packet::Protocol protocol);
// Whether a flow of it is told apart by ports.
[[nodiscard]] bool has_ports(packet::Protocol protocol) noexcept;

// What the daemon knows of the world; an offline `explain` knows nothing of it.
struct World {
  const netlink::Mirror* mirror = nullptr;
  const sync::View* view = nullptr;
};

// What the policy says: "verdict", "drop_reason" and "sentence", and the "member" that the flow hashes to.
[[nodiscard]] Json explain(const policy::Policy& policy, const Flow& flow, const World& world);
// Adds what the dataplane answered from the tables that packets meet, and where the two differ.
void compare(Json& explanation, const ipc::Decision& decision);

// Makes of what the policy says what happens to the packet now. The policy's word is kept as "configured"; "fault" is true
// when something keeps the packet from what the configuration means for it.
//
// After compare(): what the dataplane does. `failed_ports`: those that do not run, and why.
void be_what_happens(Json& explanation, const Flow& flow,
                     const std::map<std::string, std::string>& failed_ports);
// No dataplane runs: what the kernel has by itself, an own address of an AF_XDP port, goes on.
void be_without_dataplane(Json& explanation, const policy::Policy& policy, const Flow& flow,
                          const World& world);
// The dataplane gave no answer.
void be_unknown(Json& explanation, const std::string& why);

}  // namespace sekisho::serve
