// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <iterator>

#include "common/base/prefix.hpp"
#include "control/serve/show.hpp"

namespace sekisho::serve {
namespace {

Json prefixes_json(const std::vector<base::Prefix>& prefixes) {
  auto result = Json::array();
  for (const auto prefix : prefixes) {
    result.push_back(base::to_string(prefix));
  }
  return result;
}

Json time_json(std::uint64_t unix_ms) {
  return unix_ms == 0 ? Json(nullptr) : Json(unix_ms);
}

Json session_json(const advertise::Session& session) {
  return {{"peer", base::address_to_string(session.peer.address)},
          {"asn", session.peer.asn},
          {"preset", config::to_string(session.peer.preset)},
          {"state", session.state},
          {"established", session.is_established},
          {"since_unix_ms", time_json(session.since_unix_ms)},
          {"prefixes_received", session.received},
          {"prefixes_sent", session.sent},
          {"advertised", prefixes_json(session.advertised)}};
}

}  // namespace

Json show_bgp(const advertise::Status* status) {
  if (status == nullptr) {
    return {{"configured", false}};
  }
  auto sessions = Json::array();
  std::ranges::transform(status->sessions, std::back_inserter(sessions), session_json);
  return {{"configured", true},
          {"asn", status->asn},
          {"frr",
           {{"instance", status->instance.empty() ? Json(nullptr) : Json(status->instance)},
            {"version", status->version.empty() ? Json(nullptr) : Json(status->version)},
            {"answered_unix_ms", time_json(status->asked_unix_ms)},
            {"failure", status->failure ? Json(status->failure->sentence) : Json(nullptr)}}},
          {"prefixes", prefixes_json(status->prefixes)},
          {"wanted", status->is_wanted},
          {"why_not", status->why_not},
          {"originated", prefixes_json(status->originated)},
          {"changed_unix_ms", time_json(status->changed_unix_ms)},
          {"agrees", status->agrees()},
          {"sessions", sessions}};
}

}  // namespace sekisho::serve
