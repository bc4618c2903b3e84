// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/forward/tracing.hpp"

#include <rte_mbuf.h>

namespace sekisho::forward {
namespace {

using Fate = Judgement::Fate;
using Stage = Judgement::Stage;

Fate fate_of(Verdict::Kind kind) noexcept {
  switch (kind) {
    case Verdict::Kind::forward:
      return Fate::forwarded;
    case Verdict::Kind::forward_in_fragments:
      return Fate::in_fragments;
    case Verdict::Kind::to_kernel:
      return Fate::to_kernel;
    case Verdict::Kind::to_exit:
      return Fate::to_exit;
    case Verdict::Kind::to_exit_in_fragments:
      return Fate::to_exit_in_fragments;
    case Verdict::Kind::drop:
      break;
  }
  return Fate::dropped;
}

bool is_given_to_kernel(Fate fate) noexcept {
  return fate == Fate::to_kernel || fate == Fate::to_exit;
}

void note_columns(Judgement& judgement, const Burst& burst, unsigned at) noexcept {
  judgement.zone = ZoneIndex{burst.zones[at]};
  judgement.next_hop = NextHopIndex{burst.next_hops[at]};
  judgement.member = burst.adjacencies[at];
}

}  // namespace

auto Tracing::find(const rte_mbuf* mbuf) noexcept -> Entry* {
  auto* const end = entries_.begin() + count_;
  auto* const found = std::find_if(entries_.begin(), end, [=](const Entry& e) { return e.mbuf == mbuf; });
  return found == end ? nullptr : found;
}

void Tracing::begin(std::span<rte_mbuf* const> frames, PacketMask wanted, std::uint32_t snap_length,
                    bool generated) noexcept {
  count_ = 0;
  for_each_bit(wanted, [&](unsigned at) {
    Entry& entry = entries_[count_++];
    entry.mbuf = frames[at];
    entry.size = frames[at]->pkt_len;
    entry.kept = std::min({entry.size, snap_length, longest});
    entry.judgement = {.generated = generated};
    const void* const found = rte_pktmbuf_read(frames[at], 0, entry.kept, entry.bytes.data());
    if (found != entry.bytes.data()) {
      std::memcpy(entry.bytes.data(), found, entry.kept);
    }
  });
}

void Tracing::admitted(const Burst& burst) noexcept {
  note(burst, [&](Judgement& judgement, unsigned at) {
    judgement.stage = Stage::admit;
    judgement.zone = ZoneIndex{burst.zones[at]};
  });
}

void Tracing::resolved(const Burst& burst) noexcept {
  note(burst, [&](Judgement& judgement, unsigned at) {
    judgement.stage = Stage::resolve;
    note_columns(judgement, burst, at);
  });
}

void Tracing::decided(const rte_mbuf* mbuf, Verdict verdict, std::optional<packet::IcmpError> told) noexcept {
  Entry* const entry = find(mbuf);
  if (entry == nullptr) {
    return;
  }
  auto& judgement = entry->judgement;
  const auto reason = verdict.drop();
  if (judgement.fate != Fate::undecided &&
      !(is_given_to_kernel(judgement.fate) && reason == DropReason::host_full)) {
    return;
  }
  judgement.fate = fate_of(verdict.kind());
  judgement.reason = reason.value_or(DropReason{});
  judgement.told = told;
}

void Tracing::is_waiting(const rte_mbuf* mbuf) noexcept {
  if (Entry* const entry = find(mbuf)) {
    entry->judgement.fate = Fate::waits;
  }
}

void Tracing::judged(const rte_mbuf* mbuf, std::optional<ZoneIndex> zone,
                     std::optional<NextHopIndex> next_hop,
                     std::optional<nexthop::AdjacencyIndex> member) noexcept {
  if (Entry* const entry = find(mbuf)) {
    auto& judgement = entry->judgement;
    judgement.stage = Stage::waiting;
    judgement.zone = zone;
    judgement.next_hop = next_hop;
    judgement.member = member;
  }
}

void Tracing::sent(const Burst& burst) noexcept {
  note(burst, [&](Judgement& judgement, unsigned at) {
    // A burst that resolve() has taken packets out of has been noted there, and its columns have gaps since.
    if (judgement.stage != Stage::resolve) {
      note_columns(judgement, burst, at);
    }
    judgement.stage = Stage::transmit;
    if (judgement.fate == Fate::undecided) {
      judgement.fate = Fate::forwarded;
    }
  });
}

}  // namespace sekisho::forward
