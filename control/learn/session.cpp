// SPDX-License-Identifier: BSD-3-Clause
#include "control/learn/session.hpp"
#include "common/base/unix_time.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <spdlog/spdlog.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>
#include <variant>

namespace sekisho::learn {
namespace {

using namespace std::chrono_literals;

// 900,000 routes that come at once wait for us here, as far as they fit.
constexpr int socket_buffer = 64 << 20;
constexpr auto looks_every = 1s;
constexpr auto seldom = 5s;      // to ask BGP while nothing is wrong
constexpr auto soon = 20ms;      // after what asked for a listing: there may be more of it
constexpr auto most_pause = 1s;  // between two listings that were torn

}  // namespace

Session::Session(boost::asio::io_context& io, Settings settings, std::function<void()> changed)
    : io_(io),
      settings_(std::move(settings)),
      changed_(std::move(changed)),
      store_(settings_.learning),
      hold_(settings_.learning.hold),
      daemons_(frr::run_directory(settings_.frr), daemons_of(settings_.learning.protocols)),
      vtysh_(std::ranges::binary_search(settings_.learning.protocols, RTPROT_BGP)
                 ? std::make_unique<frr::Vtysh>(io, settings_.frr)
                 : nullptr),
      list_timer_(io),
      judge_timer_(io),
      look_timer_(io) {}

auto Session::open() -> tl::expected<void, std::string> {
  auto socket = netlink::Socket::open(
      NETLINK_ROUTE, {RTNLGRP_IPV4_ROUTE, RTNLGRP_NEXTHOP, RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR});
  if (!socket) {
    return tl::unexpected("the kernel's routes cannot be learned: " + socket.error());
  }
  socket_.emplace(std::move(*socket));
  setsockopt(socket_->fd(), SOL_SOCKET, SO_RCVBUFFORCE, &socket_buffer, sizeof socket_buffer);
  // A listing of one table, not of all that the kernel has. Without it (before Linux 4.20) all come, and ours are picked out.
  const int strict = 1;
  setsockopt(socket_->fd(), SOL_NETLINK, NETLINK_GET_STRICT_CHK, &strict, sizeof strict);
  listener_ = std::make_unique<netlink::Listener>(io_, *socket_, [this] { read(); });
  look();
  list();
  return {};
}

// --- Listings: next-hop objects first, so that it is known where routes lead.

void Session::list() {
  is_list_due_ = false;
  is_torn_ = false;
  store_.begin_listing();
  ask(Listing::objects);
}

void Session::list_later(std::chrono::milliseconds pause) {
  if (std::exchange(is_list_due_, true)) {
    return;
  }
  list_timer_.expires_after(pause);
  when_due(list_timer_, [this] {
    if (listing_ == Listing::none) {
      list();
    }
  });
}

// A timer that has expired calls although it is destroyed before its turn.
void Session::when_due(boost::asio::steady_timer& timer, std::function<void()> call) {
  timer.async_wait(
      [here = std::weak_ptr(here_), call = std::move(call)](const boost::system::error_code& error) {
        if (!error && !here.expired()) {
          call();
        }
      });
}

void Session::ask(Listing what) {
  listing_ = what;
  ++sequence_;
  const auto question =
      what == Listing::objects ? list_objects(sequence_) : list_routes(settings_.learning.table, sequence_);
  if (!socket_->send(question)) {
    fail(errno);
  }
}

void Session::fail(int error) {
  spdlog::error("the kernel does not list its routes: {}; it is asked again", std::strerror(error));
  listing_ = Listing::none;
  is_list_due_ = false;
  list_later(most_pause);
}

void Session::handle_end(int error) {
  if (listing_ == Listing::objects) {
    // Linux before 5.3 has no such objects.
    if (error == 0 || error == EOPNOTSUPP) {
      ask(Listing::routes);
    } else {
      fail(error);
    }
    return;
  }
  if (error != 0 && error != ENOENT) {  // a table without routes does not exist
    fail(error);
    return;
  }
  listing_ = Listing::none;
  if (is_torn_) {
    ++torn_;
    is_list_due_ = false;
    list_later(std::min<std::chrono::milliseconds>(soon * (1U << std::min(torn_, 6U)), most_pause));
    return;
  }
  torn_ = 0;
  store_.end_listing();
  if (!std::exchange(is_complete_, true)) {
    is_news_ = true;
  }
  if (is_list_due_) {  // asked for while this one ran
    is_list_due_ = false;
    list_later(soon);
  }
}

// --- Messages.

void Session::read() {
  if (!socket_->read([this](const nlmsghdr& message) { handle(message); })) {
    spdlog::info(
        "the kernel's messages about routes came faster than they were read: its routes are listed again");
    is_torn_ = true;
    list_later(soon);
  }
  judge();
}

void Session::handle(const nlmsghdr& message) {
  const auto heard = hearing(message, socket_->port(), listing_ == Listing::none ? 0 : sequence_);
  if (heard == Hearing::leftover) {
    return;
  }
  const bool is_answer = heard == Hearing::answer;
  if (is_answer && (message.nlmsg_flags & NLM_F_DUMP_INTR) != 0) {
    is_torn_ = true;
  }
  if (message.nlmsg_type == NLMSG_DONE || message.nlmsg_type == NLMSG_ERROR) {
    int error = 0;
    if (mnl_nlmsg_get_payload_len(&message) >= sizeof error) {
      std::memcpy(&error, mnl_nlmsg_get_payload(&message), sizeof error);
    }
    if (is_answer) {
      handle_end(-error);
    }
    return;
  }
  const auto said = parse(message);
  if (!said) {
    return;
  }
  if (const auto* route = std::get_if<RouteMessage>(&*said)) {
    store_.apply(*route, is_answer, base::now_unix_ms());
  } else if (const auto* object = std::get_if<ObjectMessage>(&*said)) {
    store_.apply(*object);
  } else {
    list_later(soon);
  }
}

// --- What went.

void Session::judge() {
  const auto now = Hold::Clock::now();
  if (store_.vanished() != 0) {
    hold_.on_vanished(store_.size(), now);
  }
  if (const auto due = hold_.wakes_at(); due && *due <= now) {
    const auto went = store_.vanished();
    switch (hold_.judge(went, daemons_.look(now), now)) {
      case Hold::Verdict::wait:
        break;
      case Hold::Verdict::forget:
        store_.forget_vanished();
        break;
      case Hold::Verdict::hold:
        spdlog::warn(
            "{} learned routes went from the kernel with their daemon, and are held for {} s at most", went,
            std::chrono::duration_cast<std::chrono::seconds>(settings_.learning.hold).count());
        store_.hold_vanished();
        break;
    }
    if (hold_.is_over(now)) {
      if (store_.held() != 0) {
        spdlog::warn("{} learned routes that were held are not back, and are given up", store_.held());
      }
      store_.forget_held();
      hold_.on_released();
    }
  }
  if (hold_.held_since() && store_.held() == 0) {
    spdlog::info("all learned routes that were held are back");
    hold_.on_released();
  }
  if (store_.needs_listing() && listing_ == Listing::none) {
    list_later(soon);
  }
  wake();
  if (has_news()) {
    changed_();
  }
}

void Session::wake() {
  const auto due = hold_.wakes_at();
  if (!due) {
    return;
  }
  judge_timer_.expires_at(*due);
  when_due(judge_timer_, [this] { judge(); });
}

void Session::look() {
  const auto now = Hold::Clock::now();
  const auto health = daemons_.look(now);
  const bool is_urgent = store_.held() != 0 || health == Health::gone;
  if (vtysh_ && daemons_.runs("bgpd") && !is_asking_ && (is_urgent || now >= asked_ + seldom)) {
    asked_ = now;
    ask_bgp();
  }
  if (problems() != said_) {
    is_news_ = true;
    if (has_news()) {
      changed_();
    }
  }
  look_timer_.expires_after(looks_every);
  when_due(look_timer_, [this] { look(); });
}

void Session::ask_bgp() {
  is_asking_ = true;
  vtysh_->ask({"show bgp ipv4 unicast summary json"}, [this](const frr::Result<std::string>& answer) {
    is_asking_ = false;
    hear_bgp(answer);
  });
}

void Session::hear_bgp(const frr::Result<std::string>& answer) {
  const auto now = Hold::Clock::now();
  const auto found = answer.and_then([](const std::string& text) { return frr::documents(text); });
  const auto sessions = found && found->size() == 1 ? parse_sessions(found->front()) : std::nullopt;
  if (!sessions || !is_complete_) {
    census_.hear_nothing();
    return;
  }
  census_.hear(*sessions, store_.in_kernel(), now);
  if (!census_.is_caught_up(now)) {
    return;
  }
  daemons_.on_caught_up();
  if (store_.held() != 0) {
    spdlog::info("BGP has caught up: {} learned routes that were held are withdrawn", store_.held());
    store_.forget_held();
    hold_.on_released();  // they did not come back
    judge();
  }
}

auto Session::problems() const -> std::vector<std::string> {
  std::vector<std::string> result;
  if (const auto gone = daemons_.gone(); !gone.empty()) {
    result.push_back(
        fmt::format("FRR's {} ran and does not run now: nothing is learned from it", fmt::join(gone, ", ")));
  }
  if (const auto unheard = daemons_.unheard(); !unheard.empty()) {
    result.push_back(fmt::format(
        "zebra was started after {0}, which does not tell it its routes again: what the kernel has of "
        "them is old; restart {0}",
        fmt::join(unheard, ", ")));
  }
  if (auto differs = census_.problem(settings_.learning.table, Hold::Clock::now())) {
    result.push_back(std::move(*differs));
  }
  return result;
}

// --- What was learned.

bool Session::has_news() const {
  return is_complete_ && (is_news_ || store_.is_dirty());
}

auto Session::snapshot() -> Learner::Snapshot {
  is_news_ = false;
  auto result = store_.learned();
  result->problems = said_ = problems();
  return result;
}

}  // namespace sekisho::learn
