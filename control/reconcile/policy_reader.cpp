// SPDX-License-Identifier: BSD-3-Clause
#include "control/reconcile/policy_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <iterator>
#include <utility>

#include "control/netlink/interface_addresses.hpp"

namespace sekisho::reconcile {
namespace {

auto refused(base::Error error) -> Reading {
  return {.policy = tl::unexpected(std::move(error))};
}

}  // namespace

PolicyReader::PolicyReader(boost::asio::io_context& io, Source source, Read read,
                           std::chrono::milliseconds patience)
    : io_(io), timer_(io), source_(std::move(source)), read_(std::move(read)), patience_(patience) {}

auto PolicyReader::attempt(const Source& source, std::function<void()> finished) -> std::unique_ptr<Attempt> {
  handover_ = std::make_shared<Handover>();
  ReadingOrder order{
      .source = source,
      .beside = beside_,
      .addresses =
          addresses_ ? addresses_() : netlink::addresses_by(netlink::snapshot().value_or(netlink::Mirror{})),
      .handover = handover_};
  return std::make_unique<Attempt>(
      source.config, [read = read_, order = std::move(order)] { return read(order); }, refused,
      std::move(finished));
}

auto PolicyReader::read_now() -> Reading {
  return attempt(source_, {})->wait(patience_);
}

void PolicyReader::read(Source source, Done done) {
  waiting_.push_back({std::move(source), std::move(done)});
  if (served_.empty()) {
    begin();
  }
}

auto PolicyReader::too_many_left_behind(const Source& source) -> std::optional<base::Error> {
  std::erase_if(left_behind_, [](const auto& thread) { return thread.expired(); });
  if (left_behind_.size() < most_left_behind) {
    return std::nullopt;
  }
  return base::Error{source.config, 0,
                     fmt::format("is not read: {} earlier reads still wait for files that do not answer",
                                 left_behind_.size())};
}

void PolicyReader::begin() {
  const auto source = waiting_.front().source;
  const auto others = std::ranges::stable_partition(
      waiting_, [&](const Request& request) { return request.source == source; });
  served_.assign(std::move_iterator{waiting_.begin()}, std::move_iterator{others.begin()});
  waiting_.erase(waiting_.begin(), others.begin());
  const auto later = [this, alive = std::weak_ptr<void>(alive_)](auto then) {
    boost::asio::post(io_, [alive, then = std::move(then)] {
      if (!alive.expired()) {
        then();
      }
    });
  };
  if (auto error = too_many_left_behind(source)) {
    later([this, reading = refused(std::move(*error))] { end(reading); });
    return;
  }
  attempt_ = attempt(source, [this, later] {
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
    if (auto file = attempt_->overdue(patience_); file && handover_->give_up()) {
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
  for (const auto& request : served) {
    request.done(reading);
  }
}

}  // namespace sekisho::reconcile
