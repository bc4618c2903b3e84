// SPDX-License-Identifier: BSD-3-Clause
// What is to be withdrawn, control itself tells while it is there: that is what it runs with, whatever the files say by now, and it holds when
// control is gone. Without a word of it the configuration tells, and where that is not good, the last that was.
#include "control/cli/bgp_watch.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <poll.h>
#include <spdlog/spdlog.h>
#include <sys/signalfd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <iterator>
#include <optional>
#include <utility>
#include <vector>

#include "common/base/detached_read.hpp"
#include "common/base/duration.hpp"
#include "common/base/fd.hpp"
#include "common/ipc/frame.hpp"
#include "common/ipc/log.hpp"
#include "control/advertise/orders.hpp"
#include "control/advertise/vigil.hpp"
#include "control/cli/dataplane_socket.hpp"
#include "control/cli/lifeline.hpp"
#include "control/policy/policy.hpp"

namespace sekisho::cli {
namespace {

using Clock = std::chrono::steady_clock;
using Span = std::chrono::milliseconds;

constexpr Span between_attempts{200};  // to find one that was not there
constexpr Span between_questions{2000};
constexpr Span silence{5000};  // of control, until it is said to hang
constexpr Span after_failure{2000};
constexpr Span between_readings{10'000};  // of the configuration, while there is nobody to ask
constexpr Span longest_reading{5000};     // for which each of its files is waited for

// What is to be withdrawn, and when.
struct Plan {
  std::string frr;
  std::vector<base::Prefix> prefixes;
  Span dead_after{30'000};
};

auto plan_of(const policy::Policy& policy) -> std::optional<Plan> {
  const auto& bgp = policy.config.bgp;
  if (!bgp || bgp->peers.empty()) {
    return std::nullopt;
  }
  return Plan{bgp->frr, policy.advertised, bgp->advertising.dead_after};
}

auto plan_of(const Json& told) -> std::optional<Plan> {
  if (told.at("configured") != true) {
    return std::nullopt;
  }
  Plan plan{told.at("frr").get<std::string>(), {}, Span{told.at("dead_after_ms").get<std::int64_t>()}};
  for (const auto& text : told.at("prefixes")) {
    if (const auto prefix = base::parse_prefix(text.get<std::string>())) {
      plan.prefixes.push_back(*prefix);
    }
  }
  return plan;
}

class Watch {
 public:
  Watch(const Context& context, const WatchOptions& options)
      : options_(options),
        control_(context.socket),
        dataplane_(dataplane_socket(options.dataplane_socket)),
        vigil_(Clock::now()) {}

  void run(int signals) {
    read_configuration();
    spdlog::info(
        "watching sekisho-control and the dataplane: what BGP peers are told is withdrawn {} after "
        "control has gone, and at once when both have",
        base::to_string(plan_ ? plan_->dead_after : Span{30'000}));
    for (;;) {
      look_at_dataplane();
      look_at_control();
      act();
      std::array<pollfd, 3> events{pollfd{signals, POLLIN, 0}, pollfd{control_.descriptor(), POLLIN, 0},
                                   pollfd{dataplane_.descriptor(), POLLIN, 0}};
      ::poll(events.data(), events.size(), static_cast<int>(pause().count()));
      if (events[0].revents != 0) {
        end();
        return;
      }
    }
  }

 private:
  // Only while control has told nothing: what it advertises goes by what it runs with, whatever has been edited since.
  void read_configuration() {
    const auto now = Clock::now();
    if (is_told_ || now < next_reading_) {
      return;
    }
    next_reading_ = now + between_readings;
    const auto policy = base::within(longest_reading, options_.config,
                                     [file = options_.config] { return policy::read(file); });
    if (policy) {
      plan_ = plan_of(**policy);
      refusal_.clear();
    } else if (std::exchange(refusal_, policy.error().to_string()) != refusal_) {
      spdlog::warn("{}; what it said before holds", refusal_);
    }
  }

  void look_at_dataplane() {
    dataplane_.read();
    dataplane_.said().clear();
    const bool is_there = dataplane_.is_there();
    if (is_there != std::exchange(has_dataplane_, is_there)) {
      spdlog::info(is_there ? "the dataplane is there" : "the dataplane is gone");
    }
    vigil_.dataplane(is_there);
  }

  void look_at_control() {
    const auto now = Clock::now();
    control_.read();
    take_answers();
    if (!control_.is_there()) {
      asked_.reset();
      gone("sekisho-control is gone", now);
      return;
    }
    if (std::exchange(connection_, control_.connections()) != control_.connections()) {
      asked_.reset();
      next_question_ = now;
    }
    if (!asked_ && now >= next_question_) {
      asked_ = now;
      is_sent_ = false;
      next_question_ = now + between_questions;
    }
    // One whose queue is full is asked when there is a place in it; that it has none is a silence, too.
    is_sent_ = is_sent_ || control_.send(ipc::frame(R"({"command":"advertising"})"));
    if (asked_ && now - *asked_ >= silence) {
      gone("sekisho-control does not answer", *asked_);
    }
  }

  void take_answers() {
    auto& said = control_.said();
    while (said.size() >= ipc::frame_header) {
      ipc::FrameHeader header{};
      std::copy_n(said.begin(), header.size(), header.begin());
      const std::size_t length = ipc::frame_length(header);
      if (said.size() < header.size() + length) {
        return;
      }
      const auto reply = Json::parse(said.substr(header.size(), length), nullptr, false);
      said.erase(0, header.size() + length);
      asked_.reset();
      heard(reply);
    }
  }

  // Also a refusal is a sign of life.
  void heard(const Json& reply) {
    if (reply.is_object() && reply.contains("result")) {
      plan_ = plan_of(reply.at("result"));
      is_told_ = plan_.has_value();
    }
    if (!vigil_.has_control()) {
      spdlog::info("sekisho-control is there: what is advertised is its business");
    }
    vigil_.control_is_there();
    has_withdrawn_ = false;
    failure_.clear();
  }

  void gone(const char* what, Clock::time_point since) {
    if (vigil_.has_control()) {
      spdlog::warn("{}; what BGP peers are told is withdrawn {} later, or when the dataplane is gone as well",
                   what, base::to_string(dead_after()));
    }
    vigil_.control_is_gone(since);
    read_configuration();
  }

  [[nodiscard]] auto dead_after() const -> Span { return plan_ ? plan_->dead_after : Plan{}.dead_after; }

  void act() {
    const auto now = Clock::now();
    vigil_.dead_after(dead_after());
    if (has_withdrawn_ || now < next_attempt_ || !vigil_.is_to_withdraw(now)) {
      return;
    }
    withdraw(vigil_.has_dataplane()
                 ? fmt::format("sekisho-control has been gone for {}", base::to_string(dead_after()))
                 : std::string{"sekisho-control and the dataplane are gone"});
  }

  // Of a configuration that was never good, nothing is known but what FRR's usual instance has.
  void withdraw(const std::string& why) {
    has_withdrawn_ = true;
    const auto plan = plan_ || refusal_.empty() ? plan_ : Plan{};
    if (!plan) {
      return;
    }
    const auto withdrawn = advertise::withdraw_now(plan->frr, plan->prefixes);
    if (!withdrawn) {
      has_withdrawn_ = false;
      next_attempt_ = Clock::now() + after_failure;
      if (std::exchange(failure_, withdrawn.error().sentence) != failure_) {
        spdlog::error("what BGP peers are told cannot be withdrawn: {}; tried again until it is", failure_);
      }
      return;
    }
    std::vector<std::string> texts;
    std::ranges::transform(*withdrawn, std::back_inserter(texts),
                           [](base::Prefix prefix) { return base::to_string(prefix); });
    if (texts.empty()) {
      spdlog::info("{}; nothing was advertised", why);
    } else {
      spdlog::warn("{} withdrawn from BGP peers: {}", fmt::join(texts, ", "), why);
    }
  }

  // Whoever stops the appliance stops control before this.
  void end() {
    look_at_control();
    if (vigil_.has_control()) {
      spdlog::info("stopping; sekisho-control goes on");
    } else if (!has_withdrawn_) {
      withdraw("the appliance is being stopped");
    }
  }

  [[nodiscard]] auto pause() const -> Span {
    if (!vigil_.has_control() || !vigil_.has_dataplane()) {
      return between_attempts;
    }
    if (asked_ && !is_sent_) {
      return between_attempts;
    }
    const auto now = Clock::now();
    const auto next = asked_ ? *asked_ + silence : next_question_;
    return std::max(Span{1}, std::chrono::ceil<Span>(next - now));
  }

  const WatchOptions& options_;
  Lifeline control_;
  Lifeline dataplane_;
  advertise::Vigil vigil_;
  std::optional<Plan> plan_;  // none: nothing is ever advertised
  bool is_told_ = false;      // by control
  std::string refusal_;       // of the configuration
  std::string failure_;       // of FRR
  bool has_dataplane_ = false;
  bool has_withdrawn_ = false;
  unsigned connection_ = 0;                 // to control
  std::optional<Clock::time_point> asked_;  // a question that has no answer, since when
  bool is_sent_ = true;                     // to this connection
  Clock::time_point next_question_;
  Clock::time_point next_attempt_;
  Clock::time_point next_reading_;
};

}  // namespace

Outcome watch_bgp(const Context& context, const WatchOptions& options) {
  ipc::set_up_log("sekisho-bgp-watch", spdlog::level::info, ipc::LogFormat::text);
  sigset_t ends{};
  sigemptyset(&ends);
  sigaddset(&ends, SIGTERM);
  sigaddset(&ends, SIGINT);
  pthread_sigmask(SIG_BLOCK, &ends, nullptr);
  const base::Fd signals{::signalfd(-1, &ends, SFD_CLOEXEC)};
  if (!signals.valid()) {
    return tl::unexpected{std::string{"signals cannot be waited for"}};
  }
  Watch{context, options}.run(signals.get());
  return {};
}

}  // namespace sekisho::cli
