// SPDX-License-Identifier: BSD-3-Clause
// Whether members are alive, and since when: the kernel's word (link and neighbour), and what their probes say. Pure; time is an
// argument.
//
// A member without a probe is alive when the kernel says so. One with a probe is alive when
//   the kernel says so, and
//   it has not left `down_after` probes in a row without an answer, and
//   if it ever was dead: since then it has answered `up_after` probes in a row, and all of them for as long as `hold`. The hold ends
//   early where a next hop has no other member that lives: its packets are dropped meanwhile, and there are no flows to spare a move.
//
// What nobody knows is nothing against a member. One that the dataplane forwarded to when this control took over stays alive until
// its probe has spoken; one that it did not forward to has to come back as if this control had seen it die; and one of which
// nothing is known is alive with its first answer. A probe that could not be sent for a reason of this host's own (no file
// descriptor, say) says nothing of the member, and is shown beside its state.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "control/config/config.hpp"
#include "control/reach/members.hpp"

namespace sekisho::reach {

using Time = std::chrono::steady_clock::time_point;

// What became of one probe.
struct Sample {
  enum class Result : std::uint8_t { answered, failed, unsent };
  Result result = Result::failed;
  std::chrono::microseconds round_trip{0};  // of an answer
  std::string why;                          // there is none: "connection refused"
};

// One member's.
class Pulse {
 public:
  // How it is probed from now on; what is known stays.
  void probe_by(const std::optional<config::Probe>& probe, Time now);
  // What the kernel says now.
  void see(bool well, Time now);
  void hear(const Sample& sample, Time now);
  // Whether the dataplane forwarded to it, by the word of an earlier control.
  void inherit(bool was_alive, Time now);
  // A hold that is over by then ends.
  void pass(Time now) { decide(now); }
  // As if its hold were over, if it is in one.
  void release();

  [[nodiscard]] bool is_alive() const noexcept { return alive_; }
  [[nodiscard]] bool is_well_by_kernel() const noexcept { return is_well_by_kernel_; }
  // Neither dead nor alive yet: the first probes have not spoken.
  [[nodiscard]] bool is_undecided() const noexcept {
    return !alive_ && is_fresh_ && verdict_ == Verdict::none;
  }
  // Why it is not, or how it is alive; of a member that is well by the kernel's word.
  [[nodiscard]] auto why() const -> std::string;
  [[nodiscard]] auto round_trip() const noexcept { return round_trip_; }
  // When the hold of one that is well again ends.
  [[nodiscard]] auto hold_ends_at() const -> std::optional<Time>;

 private:
  enum class Verdict : std::uint8_t { none, well, dead };  // of the probe

  void decide(Time now);

  std::optional<config::Probe> probe_;
  bool is_well_by_kernel_ = false;
  Verdict verdict_ = Verdict::none;
  bool is_fresh_ = true;       // never known to be dead
  bool is_inherited_ = false;  // alive by the word of an earlier control, and its probe has not spoken yet
  unsigned answered_ = 0;      // in a row
  unsigned failed_ = 0;        // in a row
  Time well_since_{};          // by its probe: the first answer of the row
  bool alive_ = false;
  std::optional<std::chrono::microseconds> round_trip_;
  std::string why_failed_;
  std::string why_unsent_;  // the last; empty: the last was sent
};

// All members'.
class Liveness {
 public:
  struct Followed {
    Member member;  // by the kernel's word
    std::optional<config::Probe> probe;
  };
  // The members of a next hop that get flows if they live.
  using Group = std::vector<std::uint32_t>;

  // From now on these, as the kernel sees them now. Who is not among them is forgotten.
  void follow(std::span<const Followed> members, std::span<const Group> groups, Time now);
  // True: it is alive now or is not any more, or its hold has begun, which may end at once: the next follow() finds it.
  auto hear(std::uint32_t member, const Sample& sample, Time now) -> bool;
  // Of who is followed.
  void inherit(std::uint32_t member, bool was_alive, Time now);

  // Writes what is known into members as the kernel sees them. One with a probe that is not followed is not alive.
  void judge(std::vector<Member>& members, const config::Config& config) const;
  // Of one that was judged, what each probe changes: why, and the round trip.
  void refresh(Member& member) const;
  // When something changes by time alone.
  [[nodiscard]] auto wakes_at() const -> std::optional<Time>;

 private:
  struct Life {
    Pulse pulse;
    std::optional<bool> alive;  // as it was last found
    Time since{};
    unsigned ups = 0;
    unsigned downs = 0;
  };

  void end_holds(const Group& group);

  std::map<std::uint32_t, Life> lives_;
};

// A member has one probe, whichever next hop names it; null: none.
[[nodiscard]] auto probe_of(std::uint32_t member, const config::Config& config) -> const config::Probe*;

}  // namespace sekisho::reach
