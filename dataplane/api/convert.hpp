// From the writer's types to the schema's.
#pragma once

#include <string>

#include "dataplane.pb.h"
#include "dataplane/api/configuration.hpp"
#include "dataplane/fib/next_hop_table.hpp"

namespace sekisho::api {

inline std::string to_bytes(const fib::MacAddress& mac) {
  return {mac.begin(), mac.end()};
}

inline void assign(AdjacencyKey& key, const AdjacencyId& id) {
  key.set_port(id.port);
  key.set_address(id.address);
}

inline void assign(Adjacency& message, const AdjacencyId& id, const AdjacencySpec& spec) {
  assign(*message.mutable_key(), id);
  if (spec.mac) {
    message.set_mac(to_bytes(*spec.mac));
  }
  message.set_alive(spec.alive);
}

inline void assign(Prefix& message, fib::Prefix prefix) {
  message.set_address(prefix.address);
  message.set_length(prefix.length);
}

inline void assign(NextHop& message, const std::string& name, const NextHopSpec& spec) {
  message.set_name(name);
  message.set_action(spec.action == fib::Action::drop        ? NextHop::DROP
                     : spec.action == fib::Action::host      ? NextHop::HOST
                     : spec.action == fib::Action::exit      ? NextHop::EXIT
                     : spec.action == fib::Action::connected ? NextHop::CONNECTED
                                                             : NextHop::FORWARD);
  for (const auto& member : spec.members) {
    assign(*message.add_members(), member);
  }
}

inline void assign(Zone& message, const std::string& name, const ZoneSpec& spec) {
  message.set_name(name);
  for (const auto& port : spec.ports) {
    message.add_ports(port);
  }
  for (const auto source : spec.sources) {
    assign(*message.add_sources(), source);
  }
}

}  // namespace sekisho::api
