// SPDX-License-Identifier: BSD-3-Clause
// From the writer's types to the schema's.
#pragma once

#include <string>

#include "common/base/mac_address.hpp"
#include "common/base/prefix.hpp"
#include "dataplane.pb.h"
#include "dataplane/nexthop/next_hop_table.hpp"
#include "dataplane/writer/configuration.hpp"

namespace sekisho::writer {

inline std::string to_bytes(const base::MacAddress& mac) {
  return {mac.begin(), mac.end()};
}

inline void assign(ipc::AdjacencyKey& key, const AdjacencyId& id) {
  key.set_port(id.port);
  key.set_address(id.address);
}

inline void assign(ipc::Adjacency& message, const AdjacencyId& id, const AdjacencySpec& spec) {
  assign(*message.mutable_key(), id);
  if (spec.mac) {
    message.set_mac(to_bytes(*spec.mac));
  }
  message.set_alive(spec.alive);
}

inline void assign(ipc::Prefix& message, base::Prefix prefix) {
  message.set_address(prefix.address);
  message.set_length(prefix.length);
}

inline void assign(ipc::Member& message, const MemberSpec& spec) {
  message.set_port(spec.id.port);
  message.set_address(spec.id.address);
  message.set_weight(spec.weight);
  message.set_drained(spec.drained);
}

inline void assign(ipc::NextHop& message, const std::string& name, const NextHopSpec& spec) {
  message.set_name(name);
  message.set_action(spec.action == decide::Action::drop        ? ipc::NextHop::DROP
                     : spec.action == decide::Action::host      ? ipc::NextHop::HOST
                     : spec.action == decide::Action::exit      ? ipc::NextHop::EXIT
                     : spec.action == decide::Action::connected ? ipc::NextHop::CONNECTED
                                                                : ipc::NextHop::FORWARD);
  for (const auto& member : spec.members) {
    assign(*message.add_members(), member);
  }
  message.set_hash(spec.hash_by == packet::HashBy::addresses ? ipc::NextHop::ADDRESSES
                                                             : ipc::NextHop::FIVE_TUPLE);
}

inline void assign(ipc::Zone& message, const std::string& name, const ZoneSpec& spec) {
  message.set_name(name);
  for (const auto& port : spec.ports) {
    message.add_ports(port);
  }
  for (const auto source : spec.sources) {
    assign(*message.add_sources(), source);
  }
}

}  // namespace sekisho::writer
