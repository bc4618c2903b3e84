// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/decide/verdict.hpp"
#include "dataplane/forward/capture.hpp"
#include "dataplane/forward/split.hpp"
#include "dataplane/forward/stages.hpp"
#include "dataplane/forward/tally.hpp"
#include "dataplane/forward/world.hpp"

namespace sekisho::forward {

void admit(const Context& context, Burst& burst) noexcept {
  const auto& [state, own, ingress, diverted] = context;
  state.sources->lookup_bulk(burst.headers.sources.data(), burst.zones.data(), burst.count);
  burst.one_zone = alike(burst.zones, burst.count);
  if (burst.one_zone && !refusal_of_source(state, ZoneIndex{burst.zones[0]}, ingress.port)) [[likely]] {
    own.counters.zones[burst.zones[0]].add(burst.count, burst.bytes);
    return;
  }
  if (auto* const tracing = tracing_of(state, own.index)) [[unlikely]] {
    tracing->admitted(burst);
  }
  PacketMask refused = 0;
  for (unsigned at = 0; at < burst.count; ++at) {
    if (const auto reason = refusal_of_source(state, ZoneIndex{burst.zones[at]}, ingress.port)) [[unlikely]] {
      diverted.add(burst.mbufs[at],
                   decide::unrouted(*reason, state.host[ingress.port], burst.headers.sources[at],
                                    burst.headers.destinations[at]));
      refused |= bit(at);
    }
  }
  if (refused != 0) {
    burst.remove(refused, burst.headers.destinations, burst.headers.hashes, burst.zones);
    burst.one_zone = alike(burst.zones, burst.count);
  }
  tally(own.counters.zones, burst.zones, burst.sizes, burst.count, burst.bytes);
}

}  // namespace sekisho::forward
