// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/writer/books.hpp"

#include <algorithm>

#include "dataplane/decide/drop_reason.hpp"

namespace sekisho::writer {
namespace {

void add(ipc::Counter& sum, const ipc::Counter& more) {
  sum.set_packets(sum.packets() + more.packets());
  sum.set_bytes(sum.bytes() + more.bytes());
}

}  // namespace

auto books_of(const Live& live, const LivePort& port) -> ipc::PortStatistics {
  ipc::PortStatistics statistics;
  auto steered =
      port.device == nullptr ? port::steer_counters_of(port.config.device) : port.device->steer_counters();
  if (steered.empty()) {  // the interface is gone
    steered.insert(port.closed.books.steer().begin(), port.closed.books.steer().end());
  }
  statistics.mutable_steer()->insert(steered.begin(), steered.end());
  if (const auto redirected = steered.find("redirected"); redirected != steered.end()) {
    const auto before = port.device == nullptr ? redirected->second : port.device->redirected_before();
    statistics.set_redirected_before(before - std::min(before, port.closed.redirected));
  }
  statistics.set_missed(port.closed.missed);
  if (port.device != nullptr) {
    statistics.set_missed(port.closed.missed + missed_by(live, port));
    statistics.set_held(port.device->held());
  }
  statistics.set_steering_restored(port.steering_restored);
  // Read first: what the kernel refuses from here on is not taken from a count that does not hold it yet.
  const auto refused = port.companion == nullptr ? 0 : port.companion->refused();
  for (const auto* worker : live.workers) {
    const auto& counted = worker->counters().ports[port.index];
    add(*statistics.mutable_rx(), counted.rx);
    add(*statistics.mutable_tx(), counted.tx);
    add(*statistics.mutable_generated(), counted.generated);
    statistics.set_host(statistics.host() + counted.host.get());
    for (std::size_t i = 0; i < decide::drop_reason_count; ++i) {
      if (const auto dropped = counted.drops[i].get(); dropped != 0) {
        (*statistics.mutable_drops())[std::string{decide::drop_reason_texts[i].name}] += dropped;
      }
    }
    for (std::size_t i = 0; i < packet::icmp_error_count; ++i) {
      if (const auto sent = counted.icmp[i].get(); sent != 0) {
        (*statistics.mutable_icmp())[std::string{packet::icmp_error_texts[i].name}] += sent;
      }
    }
    statistics.set_icmp_limited(statistics.icmp_limited() + counted.icmp_limited.get());
    statistics.set_fragmented(statistics.fragmented() + counted.fragmented.get());
    statistics.set_fragments(statistics.fragments() + counted.fragments.get());
    statistics.set_waiting(statistics.waiting() + counted.waiting.get());
    statistics.set_mss_clamped(statistics.mss_clamped() + counted.mss_clamped.get());
    statistics.set_unfinished_checksums(statistics.unfinished_checksums() +
                                        counted.unfinished_checksums.get());
  }
  // A worker counts after it has given, so that the host thread may be ahead by a burst all the same.
  if (const auto undelivered = std::min(refused, statistics.host()); undelivered != 0) {
    statistics.set_host(statistics.host() - undelivered);
    constexpr auto reason = static_cast<std::size_t>(decide::DropReason::host_refused);
    (*statistics.mutable_drops())[std::string{decide::drop_reason_texts[reason].name}] += undelivered;
  }
  return statistics;
}

auto missed_by(const Live& live, const LivePort& port) -> std::uint64_t {
  const auto counted = port.device->missed();
  if (!port.device->has_lost_netdev()) {
    return counted;
  }
  auto taken = port.device->held() + port.closed.missed;
  for (const auto* worker : live.workers) {
    taken += worker->counters().ports[port.index].rx.packets.get();
  }
  const auto given =
      port.closed.redirected + port.device->steer_counters()["redirected"] - port.device->redirected_before();
  return std::max(counted, given - std::min(given, taken));
}

void add(ipc::Counter& sum, const forward::Traffic& traffic) {
  sum.set_packets(sum.packets() + traffic.packets.get());
  sum.set_bytes(sum.bytes() + traffic.bytes.get());
}

void add(ipc::PortStatistics& sum, const ipc::PortStatistics& more) {
  add(*sum.mutable_rx(), more.rx());
  add(*sum.mutable_tx(), more.tx());
  add(*sum.mutable_generated(), more.generated());
  for (const auto& [reason, packets] : more.drops()) {
    (*sum.mutable_drops())[reason] += packets;
  }
  for (const auto& [verdict, packets] : more.steer()) {
    (*sum.mutable_steer())[verdict] += packets;
  }
  for (const auto& [error, packets] : more.icmp()) {
    (*sum.mutable_icmp())[error] += packets;
  }
  sum.set_icmp_limited(sum.icmp_limited() + more.icmp_limited());
  sum.set_fragmented(sum.fragmented() + more.fragmented());
  sum.set_fragments(sum.fragments() + more.fragments());
  sum.set_waiting(sum.waiting() + more.waiting());
  sum.set_mss_clamped(sum.mss_clamped() + more.mss_clamped());
  sum.set_unfinished_checksums(sum.unfinished_checksums() + more.unfinished_checksums());
  sum.set_host(sum.host() + more.host());
  sum.set_missed(sum.missed() + more.missed());
  sum.set_held(sum.held() + more.held());
  sum.set_redirected_before(sum.redirected_before() + more.redirected_before());
}

}  // namespace sekisho::writer
