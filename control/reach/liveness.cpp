// SPDX-License-Identifier: BSD-3-Clause
#include "control/reach/liveness.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "common/base/duration.hpp"

namespace sekisho::reach {

// --- One member.

void Pulse::probe_by(const std::optional<config::Probe>& probe, Time now) {
  if (probe_ == probe) {
    return;
  }
  const bool was_probed = probe_.has_value();
  probe_ = probe;
  answered_ = failed_ = 0;
  if (!was_probed && alive_) {  // it was, without a probe
    verdict_ = Verdict::well;
    is_inherited_ = true;
  } else if (!probe_) {
    verdict_ = Verdict::none;
    is_inherited_ = false;
  }
  decide(now);
}

void Pulse::see(bool well, Time now) {
  is_well_by_kernel_ = well;
  if (!well) {
    // Whoever comes back has to answer again.
    verdict_ = Verdict::none;
    is_inherited_ = false;
    answered_ = failed_ = 0;
  }
  decide(now);
}

void Pulse::hear(const Sample& sample, Time now) {
  if (!probe_ || !is_well_by_kernel_) {
    return;  // it was sent before
  }
  why_unsent_ = sample.result == Sample::Result::unsent ? sample.why : std::string{};
  switch (sample.result) {
    case Sample::Result::unsent:
      return;
    case Sample::Result::answered:
      round_trip_ = sample.round_trip;
      failed_ = 0;
      is_inherited_ = false;
      if (answered_++ == 0) {
        well_since_ = now;
      }
      if (is_fresh_ || answered_ >= probe_->up_after) {
        verdict_ = Verdict::well;
      }
      break;
    case Sample::Result::failed:
      why_failed_ = sample.why;
      answered_ = 0;
      // While it has no flows, one that is lost is reason enough to begin anew.
      if (++failed_ >= probe_->down_after || (!alive_ && !is_fresh_)) {
        verdict_ = Verdict::dead;
        is_fresh_ = is_inherited_ = false;
      }
      break;
  }
  decide(now);
}

void Pulse::inherit(bool was_alive, Time now) {
  if (!probe_) {
    return;
  }
  verdict_ = was_alive ? Verdict::well : Verdict::none;
  is_inherited_ = was_alive;
  is_fresh_ = is_fresh_ && was_alive;
  alive_ = alive_ && was_alive;
  answered_ = failed_ = 0;
  decide(now);
}

void Pulse::decide(Time now) {
  const bool is_well = is_well_by_kernel_ && (!probe_ || verdict_ == Verdict::well);
  if (!is_well) {
    is_fresh_ = is_fresh_ && !alive_;
    alive_ = false;
  } else if (!alive_) {
    alive_ = !probe_ || is_fresh_ || now - well_since_ >= probe_->hold;
  }
}

void Pulse::release() {
  alive_ = alive_ || hold_ends_at().has_value();
}

auto Pulse::hold_ends_at() const -> std::optional<Time> {
  const bool is_held = is_well_by_kernel_ && probe_ && verdict_ == Verdict::well && !alive_;
  return is_held ? std::optional{well_since_ + probe_->hold} : std::nullopt;
}

auto Pulse::why() const -> std::string {
  const auto unsent = why_unsent_.empty() ? std::string{} : "; its probe cannot be sent: " + why_unsent_;
  if (alive_ && failed_ != 0) {
    return fmt::format("{} of {} probes lost: {}", failed_, probe_->down_after, why_failed_) + unsent;
  }
  if (alive_) {
    return (is_inherited_ ? "as before; its probe has not spoken yet" : "answers its probe") + unsent;
  }
  if (verdict_ == Verdict::well) {
    return fmt::format("answers again, and has to for {} before it gets flows",
                       base::to_string(probe_->hold)) +
           unsent;
  }
  if (answered_ != 0) {
    return fmt::format("answers again: {} of {}", answered_, probe_->up_after) + unsent;
  }
  return (verdict_ == Verdict::dead ? "probe: " + why_failed_ : "its probe has not spoken yet") + unsent;
}

// --- All of them.

void Liveness::follow(std::span<const Followed> members, std::span<const Group> groups, Time now) {
  std::set<std::uint32_t> named;
  std::vector<const Followed*> each_once;
  for (const auto& followed : members) {
    if (!named.insert(followed.member.address).second) {
      continue;
    }
    each_once.push_back(&followed);
    auto& pulse = lives_[followed.member.address].pulse;
    pulse.probe_by(followed.probe, now);
    pulse.see(followed.member.alive, now);
  }
  std::erase_if(lives_, [&](const auto& entry) { return !named.contains(entry.first); });
  std::ranges::for_each(groups, [this](const Group& group) { end_holds(group); });
  for (const auto* followed : each_once) {
    const auto& [member, probe] = *followed;
    auto& life = lives_[member.address];
    const bool alive = life.pulse.is_alive();
    const bool nobody_knows = probe && life.pulse.is_undecided() && (member.alive || member.asking);
    if (life.alive ? *life.alive == alive : nobody_knows) {
      continue;
    }
    if (life.alive) {
      ++(alive ? life.ups : life.downs);
    }
    life.alive = alive;
    life.since = now;
  }
}

void Liveness::end_holds(const Group& group) {
  std::vector<Pulse*> pulses;
  for (const auto address : group) {
    if (const auto found = lives_.find(address); found != lives_.end()) {
      pulses.push_back(&found->second.pulse);
    }
  }
  if (std::ranges::none_of(pulses, &Pulse::is_alive)) {
    std::ranges::for_each(pulses, &Pulse::release);
  }
}

auto Liveness::hear(std::uint32_t member, const Sample& sample, Time now) -> bool {
  const auto found = lives_.find(member);
  if (found == lives_.end()) {
    return false;
  }
  auto& [pulse, alive, since, ups, downs] = found->second;
  const bool was_held = pulse.hold_ends_at().has_value();
  pulse.hear(sample, now);
  return (!was_held && pulse.hold_ends_at()) || (alive ? *alive != pulse.is_alive() : !pulse.is_undecided());
}

void Liveness::inherit(std::uint32_t member, bool was_alive, Time now) {
  if (const auto found = lives_.find(member); found != lives_.end()) {
    found->second.pulse.inherit(was_alive, now);
  }
}

void Liveness::judge(std::vector<Member>& members, const config::Config& config) const {
  for (auto& member : members) {
    const bool well = member.alive;
    const auto found = lives_.find(member.address);
    member.is_probed = probe_of(member.address, config) != nullptr;
    if (found == lives_.end()) {
      if (member.is_probed && well) {
        member.alive = false;
        member.asking = true;
        member.why = "its probe has not spoken yet";
      }
      continue;
    }
    const auto& [pulse, alive, since, ups, downs] = found->second;
    member.since = alive ? std::optional{since} : std::nullopt;
    member.ups = ups;
    member.downs = downs;
    if (member.is_probed && well) {
      member.alive = pulse.is_alive();
      member.asking = pulse.is_undecided();
    }
    refresh(member);
  }
}

void Liveness::refresh(Member& member) const {
  const auto found = lives_.find(member.address);
  if (found == lives_.end() || !member.is_probed) {
    return;
  }
  const auto& pulse = found->second.pulse;
  member.round_trip = pulse.round_trip();
  if (pulse.is_well_by_kernel() && pulse.is_alive() == member.alive) {
    member.why = pulse.why();
  }
}

auto Liveness::wakes_at() const -> std::optional<Time> {
  std::optional<Time> next;
  for (const auto& [address, life] : lives_) {
    if (const auto ends = life.pulse.hold_ends_at(); ends && (!next || *ends < *next)) {
      next = ends;
    }
  }
  return next;
}

auto probe_of(std::uint32_t member, const config::Config& config) -> const config::Probe* {
  for (const auto& next_hop : config.next_hops) {
    if (next_hop.probe && std::ranges::find(next_hop.members, member) != next_hop.members.end()) {
      return &*next_hop.probe;
    }
  }
  return nullptr;
}

}  // namespace sekisho::reach
