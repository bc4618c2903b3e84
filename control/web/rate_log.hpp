// SPDX-License-Identifier: BSD-3-Clause
// What each port carried in the last ten minutes, for a browser that was not there. While there is a page, the dataplane is asked for
// its counters every four seconds; what lies between two answers of the same dataplane is a rate, anything else is a gap.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>

#include "control/serve/backend.hpp"
#include "control/serve/json.hpp"
#include "control/serve/live.hpp"

namespace sekisho::web {

class RateLog {
 public:
  // Of time that never goes back, whatever becomes of the clock.
  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::milliseconds pace{4000};
  static constexpr std::size_t most = 150;  // ten minutes

  // `backend` must outlive it.
  RateLog(boost::asio::io_context& io, serve::Backend& backend, std::chrono::milliseconds every = pace);
  RateLog(const RateLog&) = delete;
  RateLog& operator=(const RateLog&) = delete;

  // What the dataplane said at `now`, or that it said nothing.
  void take(Clock::time_point now, const serve::Live& live);

  // {"age_ms": [8000, 4000], "ports": [{"name": "lan", "rx_bits": [null, 1200], "tx_bits": [...], "dropped": [...]}]}: the oldest first,
  // an element of each list a sample; a second's bits and packets since the sample before, null where that is not known.
  [[nodiscard]] auto to_json(Clock::time_point now) const -> serve::Json;

 private:
  struct Counters {
    std::uint64_t rx_bytes = 0;
    std::uint64_t tx_bytes = 0;
    std::uint64_t dropped = 0;
  };
  struct Rates {
    std::uint64_t rx_bits = 0;
    std::uint64_t tx_bits = 0;
    std::uint64_t dropped = 0;
  };
  struct Sample {
    Clock::time_point at;
    std::map<std::string, Rates> ports{};
  };
  struct Heard {
    Clock::time_point at;
    std::uint64_t dataplane_started_unix_ms = 0;
    std::map<std::string, Counters> ports{};
  };

  void ask_later();
  void ask();
  [[nodiscard]] static auto heard(Clock::time_point now, const serve::Live& live) -> std::optional<Heard>;
  [[nodiscard]] static auto between(const Counters& before, const Counters& after, double seconds)
      -> std::optional<Rates>;

  serve::Backend& backend_;
  std::chrono::milliseconds every_;
  boost::asio::steady_timer timer_;
  std::optional<Heard> last_;
  std::deque<Sample> samples_;  // the oldest first
};

}  // namespace sekisho::web
