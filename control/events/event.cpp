// SPDX-License-Identifier: BSD-3-Clause
#include "control/events/event.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <ctime>

namespace sekisho::events {

Json to_json(const Event& event) {
  Json result{{"time", time_text(event.unix_ms)}, {"event", event.kind}};
  if (event.details.is_object()) {
    result.update(event.details);
  }
  result["sentence"] = event.sentence;
  return result;
}

std::string time_text(std::uint64_t unix_ms) {
  constexpr std::uint64_t second = 1000;
  const auto seconds = static_cast<std::time_t>(unix_ms / second);
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", fmt::gmtime(seconds), unix_ms % second);
}

}  // namespace sekisho::events
