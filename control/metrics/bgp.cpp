// SPDX-License-Identifier: BSD-3-Clause
#include "control/metrics/bgp.hpp"

#include "common/base/prefix.hpp"

namespace sekisho::metrics {
namespace {

void add_sessions(Text& text, const advertise::Status& status) {
  const auto each = [&](auto value) {
    for (const auto& session : status.sessions) {
      text.sample({{"peer", base::address_to_string(session.peer.address)}}, std::uint64_t{value(session)});
    }
  };
  text.family("sekisho_bgp_session_up", Type::gauge, "", "1 when the session with the peer is established.");
  each([](const advertise::Session& session) { return one_if(session.is_established); });
  text.family("sekisho_bgp_session_received_prefixes", Type::gauge, "prefixes",
              "Prefixes that the peer told.");
  each([](const advertise::Session& session) { return session.received; });
  text.family("sekisho_bgp_session_advertised_prefixes", Type::gauge, "prefixes",
              "Prefixes that the peer was told.");
  each([](const advertise::Session& session) { return session.sent; });
}

}  // namespace

void add_bgp(Text& text, const advertise::Status& status) {
  text.family("sekisho_bgp_up", Type::gauge, "", "1 when FRR answered the last time that it was asked.");
  text.sample({}, one_if(!status.failure && status.asked_unix_ms != 0));
  text.family("sekisho_bgp_last_answer_timestamp_seconds", Type::gauge, "seconds",
              "When FRR answered last: the other figures are of then; 0: never.");
  text.sample({}, static_cast<double>(status.asked_unix_ms) / 1000);
  text.family("sekisho_bgp_advertise_wanted", Type::gauge, "",
              "1 when the appliance's prefixes are to be advertised: traffic that comes is forwarded.");
  text.sample({}, one_if(status.is_wanted));
  text.family("sekisho_bgp_prefixes", Type::gauge, "prefixes",
              "Prefixes to be advertised while traffic is forwarded.");
  text.sample({}, std::uint64_t{status.prefixes.size()});
  text.family("sekisho_bgp_originated_prefixes", Type::gauge, "prefixes",
              "Those of them that FRR originates.");
  text.sample({}, std::uint64_t{status.originated.size()});
  text.family("sekisho_bgp_orders", Type::counter, "",
              "How often FRR was told to advertise them, or not to.");
  text.sample({{"order", "announce"}}, status.counts.announced);
  text.sample({{"order", "withdraw"}}, status.counts.withdrawn);
  text.family("sekisho_bgp_failures", Type::counter, "", "Questions and orders to FRR that failed.");
  text.sample({}, status.counts.failed);
  add_sessions(text, status);
}

}  // namespace sekisho::metrics
