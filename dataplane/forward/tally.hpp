// Counts traffic by index. Neighbours in a burst mostly count for the same index (a flow, a zone, a
// default route), so a run of them is summed in registers and stored once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "dataplane/forward/counters.hpp"

namespace sekisho::forward {

class Tally {
 public:
  explicit Tally(std::span<Traffic> traffic) noexcept : traffic_(traffic) {}
  ~Tally() { store(); }
  Tally(const Tally&) = delete;
  Tally& operator=(const Tally&) = delete;

  void count(std::size_t index, std::uint32_t bytes) noexcept {
    if (index != index_) {
      store();
      index_ = index;
    }
    ++packets_;
    bytes_ += bytes;
  }

 private:
  void store() noexcept {
    if (packets_ != 0) {
      traffic_[index_].add(packets_, bytes_);
    }
    packets_ = 0;
    bytes_ = 0;
  }

  std::span<Traffic> traffic_;
  std::size_t index_ = 0;
  std::uint64_t packets_ = 0;
  std::uint64_t bytes_ = 0;
};

}  // namespace sekisho::forward
