// SPDX-License-Identifier: BSD-3-Clause
// How long packets were under way: counted in buckets whose width is at most 1/32 of what they hold, so that a million
// packets a second cost an addition each, and a percentile is right to 3 %.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace sekisho::bench {

class Latencies {
 public:
  void clear() noexcept { *this = {}; }

  void add(std::uint64_t ticks) noexcept {
    ++buckets_[bucket_of(ticks)];
    ++count_;
    largest_ = std::max(largest_, ticks);
  }

  // Ticks that `share` of all packets did not exceed: the upper end of their bucket. 0 of none.
  [[nodiscard]] std::uint64_t percentile(double share) const noexcept {
    const auto wanted = static_cast<std::uint64_t>(share * static_cast<double>(count_));
    std::uint64_t seen = 0;
    for (std::size_t at = 0; at < buckets_.size(); ++at) {
      seen += buckets_[at];
      if (seen > 0 && seen >= wanted)
        return std::min(upper_end(at), largest_);
    }
    return largest_;
  }
  [[nodiscard]] std::uint64_t largest() const noexcept { return largest_; }

 private:
  static constexpr unsigned fraction_bits = 5;
  static constexpr std::size_t per_octave = std::size_t{1} << fraction_bits;

  // Below 32 a bucket a tick; above it the five bits behind the highest one choose among 32 an octave.
  static std::size_t bucket_of(std::uint64_t ticks) noexcept {
    if (ticks < per_octave)
      return ticks;
    const unsigned octave = static_cast<unsigned>(std::bit_width(ticks)) - 1 - fraction_bits;
    return (octave + 1) * per_octave + ((ticks >> octave) - per_octave);
  }
  static std::uint64_t upper_end(std::size_t bucket) noexcept {
    if (bucket < per_octave)
      return bucket;
    const auto octave = bucket / per_octave - 1;
    return ((bucket % per_octave + per_octave + 1) << octave) - 1;
  }

  std::array<std::uint64_t, (64 - fraction_bits + 1) * per_octave> buckets_{};
  std::uint64_t count_ = 0;
  std::uint64_t largest_ = 0;
};

}  // namespace sekisho::bench
