// SPDX-License-Identifier: BSD-3-Clause
// Whose packets this appliance's own kernel may have by a port: the answer for each source address, from prefixes of which the
// longest decides. The steering program asks them as they are, in a map of the kernel; the pipeline and an operator's
// question, as ranges.
#pragma once

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "common/base/prefix.hpp"

namespace sekisho::decide {

enum class SourceVerdict : std::uint8_t {
  unknown,  // nobody claims it
  allowed,
  spoofed,  // of a zone whose packets come by other ports
  martian,  // nobody's at all: our own, a subnet's broadcast address, 127/8
};

class HostSources {
 public:
  // In this order, since of equal prefixes the last one counts.
  class Rules : public std::map<base::Prefix, SourceVerdict> {
   public:
    // Begins with nobody's addresses (address.hpp), save those of the link: clouds offer metadata, names and time by them.
    Rules()
        : map{{{0x0000'0000, 8}, SourceVerdict::martian},
              {{0x7f00'0000, 8}, SourceVerdict::martian},
              {{0xe000'0000, 3}, SourceVerdict::martian}} {}
    void add_zone(const std::vector<base::Prefix>& sources, bool port_carries_it) {
      add(sources, port_carries_it ? SourceVerdict::allowed : SourceVerdict::spoofed);
    }
    void allow(const std::vector<base::Prefix>& sources) { add(sources, SourceVerdict::allowed); }
    // This appliance's addresses and its subnets' broadcast addresses, on whatever port.
    void add_own(const std::vector<std::uint32_t>& addresses) {
      for (const auto address : addresses) {
        insert_or_assign({address, 32}, SourceVerdict::martian);
      }
    }

   private:
    void add(const std::vector<base::Prefix>& sources, SourceVerdict verdict) {
      for (const auto source : sources) {
        insert_or_assign(source, verdict);
      }
    }
  };

  HostSources() = default;
  explicit HostSources(Rules rules) : rules_(std::move(rules)) { flatten(); }

  [[nodiscard]] const Rules& rules() const noexcept { return rules_; }

  // Some steps of a binary search: not for transit.
  [[nodiscard]] SourceVerdict of(std::uint32_t source) const noexcept {
    const auto next = std::ranges::upper_bound(ranges_, source, {}, &Range::begin);
    return next == ranges_.begin() ? SourceVerdict::unknown : std::prev(next)->verdict;
  }

  friend bool operator==(const HostSources& a, const HostSources& b) { return a.rules_ == b.rules_; }

 private:
  struct Range {
    std::uint32_t begin = 0;  // up to the next one's
    SourceVerdict verdict = SourceVerdict::unknown;
  };

  // A prefix's rules begin before those of the longer ones in it, and end behind them: a stack of those that are open.
  void flatten() {
    std::vector<std::pair<std::uint32_t, SourceVerdict>> open;  // last address, verdict
    const auto begin_range = [&](std::uint32_t at, SourceVerdict verdict) {
      if (!ranges_.empty() && ranges_.back().begin == at) {
        ranges_.back().verdict = verdict;
      } else {
        ranges_.push_back({at, verdict});
      }
    };
    const auto close_before = [&](std::uint64_t at) {
      while (!open.empty() && open.back().first < at) {
        const std::uint32_t last = open.back().first;
        open.pop_back();
        if (last != ~std::uint32_t{0}) {
          begin_range(last + 1, open.empty() ? SourceVerdict::unknown : open.back().second);
        }
      }
    };
    for (const auto& [prefix, verdict] : rules_) {
      close_before(prefix.address);
      begin_range(prefix.address, verdict);
      open.emplace_back(prefix.last(), verdict);
    }
    close_before(std::uint64_t{1} << 32);
  }

  Rules rules_;
  std::vector<Range> ranges_;
};

}  // namespace sekisho::decide
