// SPDX-License-Identifier: BSD-3-Clause
#include "control/advertise/farewell.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "control/advertise/frr_state.hpp"
#include "control/advertise/orders.hpp"
#include "control/advertise/prefixes.hpp"

namespace sekisho::advertise {

Farewell::Farewell(boost::asio::io_context& io, std::string instance, std::uint32_t asn, Prefixes managed)
    : instance_(std::move(instance)),
      asn_(asn),
      managed_(std::move(managed)),
      vtysh_(io, instance_),
      timer_(io) {
  ask();
}

void Farewell::ask() {
  vtysh_.ask({show_config}, [this](const frr::Result<std::string>& answer) { heard(answer); });
}

// An FRR that is gone, or has become another AS, advertises nothing of it.
void Farewell::heard(const frr::Result<std::string>& answer) {
  using Kind = frr::Failure::Kind;
  if (!answer && answer.error().kind != Kind::not_running && answer.error().kind != Kind::absent) {
    failed(answer.error());
    return;
  }
  const auto config = answer ? read_running_config(*answer) : RunningConfig{};
  const bool is_ours = std::ranges::find(config.asns, asn_) != config.asns.end();
  const auto ours = is_ours ? both(config.originated, managed_) : Prefixes{};
  is_done_ = ours.empty();
  if (!is_done_) {
    withdraw(ours);
  }
}

// Then it is asked whether it has.
void Farewell::withdraw(const Prefixes& prefixes) {
  vtysh_.ask(commands(asn_, prefixes, {}), [this, prefixes](const frr::Result<std::string>& answer) {
    if (!answer) {
      failed(answer.error());
      return;
    }
    spdlog::warn("{} withdrawn from BGP peers: it is not configured any more", list_of(prefixes));
    ask();
  });
}

void Farewell::failed(const frr::Failure& failure) {
  if (std::exchange(said_, failure.sentence) != failure.sentence) {
    spdlog::error(
        "what is not configured any more could not be withdrawn from BGP peers: {}; tried again until it is",
        failure.sentence);
  }
  constexpr std::chrono::seconds until_again{2};
  timer_.expires_after(until_again);
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) {
      ask();
    }
  });
}

}  // namespace sekisho::advertise
