// SPDX-License-Identifier: BSD-3-Clause
#include "control/reconcile/policy_reader.hpp"

#include <fmt/format.h>

#include <boost/asio/post.hpp>
#include <utility>

#include "control/netlink/interface_addresses.hpp"

namespace sekisho::reconcile {
namespace {

auto refused(base::Error error) -> Reading {
  return {.policy = tl::unexpected(std::move(error))};
}

}  // namespace

PolicyReader::PolicyReader(boost::asio::io_context& io, std::filesystem::path config, Read read,
                           std::chrono::milliseconds patience)
    : io_(io), timer_(io), config_(std::move(config)), read_(std::move(read)), patience_(patience) {}

auto PolicyReader::attempt(std::function<void()> finished) -> std::unique_ptr<Attempt> {
  const auto addresses =
      addresses_ ? addresses_() : netlink::addresses_by(netlink::snapshot().value_or(netlink::Mirror{}));
  return std::make_unique<Attempt>(
      config_,
      [read = read_, config = config_, beside = beside_, addresses] {
        return read(config, beside, addresses);
      },
      refused, std::move(finished));
}

auto PolicyReader::read_now() -> Reading {
  return attempt({})->wait(patience_);
}

void PolicyReader::read(Done done) {
  waiting_.push_back(std::move(done));
  if (served_.empty()) {
    begin();
  }
}

auto PolicyReader::too_many_left_behind() -> std::optional<base::Error> {
  std::erase_if(left_behind_, [](const auto& thread) { return thread.expired(); });
  if (left_behind_.size() < most_left_behind) {
    return std::nullopt;
  }
  return base::Error{config_, 0,
                     fmt::format("is not read: {} earlier reads still wait for files that do not answer",
                                 left_behind_.size())};
}

void PolicyReader::begin() {
  served_ = std::exchange(waiting_, {});
  const auto later = [this, alive = std::weak_ptr<void>(alive_)](auto then) {
    boost::asio::post(io_, [alive, then = std::move(then)] {
      if (!alive.expired()) {
        then();
      }
    });
  };
  if (auto error = too_many_left_behind()) {
    later([this, reading = refused(std::move(*error))] { end(reading); });
    return;
  }
  attempt_ = attempt([this, later] {
    later([this] {
      if (auto reading = attempt_ ? attempt_->take() : std::nullopt) {
        end(*reading);
      }
    });
  });
  if (auto reading = attempt_->take()) {  // no thread could be had
    later([this, reading = std::move(*reading)] { end(reading); });
    return;
  }
  watch(patience_);
}

void PolicyReader::watch(std::chrono::milliseconds pause) {
  timer_.expires_after(pause);
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (error || !attempt_) {
      return;
    }
    if (auto file = attempt_->overdue(patience_)) {
      left_behind_.push_back(attempt_->thread());
      end(refused(base::no_answer(std::move(*file), patience_)));
    } else {
      watch(patience_ / 4);
    }
  });
}

void PolicyReader::end(const Reading& reading) {
  attempt_.reset();
  timer_.cancel();
  const auto served = std::exchange(served_, {});
  if (!waiting_.empty()) {
    begin();
  }
  for (const auto& done : served) {
    done(reading);
  }
}

}  // namespace sekisho::reconcile
