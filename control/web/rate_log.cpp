// SPDX-License-Identifier: BSD-3-Clause
#include "control/web/rate_log.hpp"

#include <cmath>
#include <set>
#include <utility>

#include "control/serve/ask_live.hpp"
#include "control/serve/show.hpp"

namespace sekisho::web {
namespace {

std::uint64_t a_second(std::uint64_t before, std::uint64_t after, double seconds) {
  return static_cast<std::uint64_t>(std::llround(static_cast<double>(after - before) / seconds));
}

}  // namespace

RateLog::RateLog(boost::asio::io_context& io, serve::Backend& backend, std::chrono::milliseconds every)
    : backend_(backend), every_(every), timer_(io) {
  ask_later();
}

// The pause begins with an answer: a dataplane that hangs is asked once.
void RateLog::ask_later() {
  timer_.expires_after(every_);
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) {
      ask();
    }
  });
}

void RateLog::ask() {
  const auto policy = backend_.policy();
  if (!policy || !policy->config.web) {
    samples_.clear();
    last_.reset();
    ask_later();
    return;
  }
  serve::ask_live(backend_, [this](const serve::Live& live) {
    take(Clock::now(), live);
    ask_later();
  });
}

auto RateLog::heard(Clock::time_point now, const serve::Live& live) -> std::optional<Heard> {
  if (!live.state || !live.statistics) {
    return std::nullopt;
  }
  Heard said{.at = now, .dataplane_started_unix_ms = live.state->started_unix_ms()};
  // As the page counts what it sees by itself later.
  const auto stats = serve::show_stats(*live.statistics);
  for (const auto& port : stats.at("ports")) {
    const auto number = [&port](const char* name) { return port.at(name).get<std::uint64_t>(); };
    said.ports[port.at("name").get<std::string>()] = {.rx_bytes = number("rx_bytes"),
                                                      .tx_bytes = number("tx_bytes"),
                                                      .dropped = number("drops") + number("steer_dropped")};
  }
  return said;
}

// A port that was taken away and came back counts anew.
auto RateLog::between(const Counters& before, const Counters& after, double seconds) -> std::optional<Rates> {
  if (after.rx_bytes < before.rx_bytes || after.tx_bytes < before.tx_bytes ||
      after.dropped < before.dropped) {
    return std::nullopt;
  }
  constexpr std::uint64_t byte = 8;  // bits
  return Rates{.rx_bits = byte * a_second(before.rx_bytes, after.rx_bytes, seconds),
               .tx_bits = byte * a_second(before.tx_bytes, after.tx_bytes, seconds),
               .dropped = a_second(before.dropped, after.dropped, seconds)};
}

void RateLog::take(Clock::time_point now, const serve::Live& live) {
  auto said = heard(now, live);
  Sample sample{.at = now};
  if (said && last_ && said->dataplane_started_unix_ms == last_->dataplane_started_unix_ms &&
      now > last_->at) {
    const auto seconds = std::chrono::duration<double>(now - last_->at).count();
    for (const auto& [name, counters] : said->ports) {
      const auto before = last_->ports.find(name);
      if (before == last_->ports.end()) {
        continue;
      }
      if (const auto rates = between(before->second, counters, seconds)) {
        sample.ports.emplace(name, *rates);
      }
    }
  }
  last_ = std::move(said);
  samples_.push_back(std::move(sample));
  if (samples_.size() > most) {
    samples_.pop_front();
  }
}

auto RateLog::to_json(Clock::time_point now) const -> serve::Json {
  auto ages = serve::Json::array();
  std::set<std::string> names;
  for (const auto& sample : samples_) {
    ages.push_back(std::chrono::duration_cast<std::chrono::milliseconds>(now - sample.at).count());
    for (const auto& [name, rates] : sample.ports) {
      names.insert(name);
    }
  }
  auto ports = serve::Json::array();
  for (const auto& name : names) {
    const auto list = [&](std::uint64_t Rates::*member) {
      auto values = serve::Json::array();
      for (const auto& sample : samples_) {
        const auto port = sample.ports.find(name);
        values.push_back(port == sample.ports.end() ? serve::Json(nullptr)
                                                    : serve::Json(port->second.*member));
      }
      return values;
    };
    ports.push_back({{"name", name},
                     {"rx_bits", list(&Rates::rx_bits)},
                     {"tx_bits", list(&Rates::tx_bits)},
                     {"dropped", list(&Rates::dropped)}});
  }
  return {{"age_ms", std::move(ages)}, {"ports", std::move(ports)}};
}

}  // namespace sekisho::web
