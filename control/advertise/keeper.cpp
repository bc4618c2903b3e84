// SPDX-License-Identifier: BSD-3-Clause
#include "control/advertise/keeper.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "common/base/unix_time.hpp"
#include "control/advertise/orders.hpp"
#include "control/advertise/prefixes.hpp"

namespace sekisho::advertise {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds between_glances{100};  // at bgpd's socket
constexpr milliseconds between_looks{5000};
// A bgpd that starts is looked at again and again until it has read its file, which it has after a second or so, when its sessions
// begin: with graceful restart, what it does not advertise by then peers lose (RFC 4724, End-of-RIB).
constexpr milliseconds a_start{3000};
constexpr milliseconds after_failure{2000};
constexpr milliseconds after_refusal{30'000};  // each attempt may show a part of it for a moment
// Of those that peers were told: a frr.conf that somebody else wrote may let a whole table out. In JSON each has 300 to 600 bytes.
constexpr std::uint64_t most_listed = 10'000;

using base::now_unix_ms;

auto no_router(std::uint32_t asn, const RunningConfig& config) -> frr::Failure {
  const auto has =
      config.asns.empty() ? std::string{"has no `router bgp`"} : fmt::format("is AS {}", config.asns.front());
  return {
      frr::Failure::Kind::refused,
      fmt::format("FRR {}, and [bgp] says AS {}: `sekisho bgp apply` writes its configuration", has, asn)};
}

auto has_just_started() -> frr::Failure {
  return {frr::Failure::Kind::refused, "FRR has just started and has not read its file"};
}

auto not_kept(const Prefixes& originated, const Prefixes& wanted) -> frr::Failure {
  const auto text = [](const Prefixes& prefixes) { return prefixes.empty() ? "nothing" : list_of(prefixes); };
  return {frr::Failure::Kind::refused,
          fmt::format("FRR was told to originate {}, and originates {}", text(wanted), text(originated))};
}

auto not_all_answered() -> frr::Failure {
  return {frr::Failure::Kind::broken, "FRR has not answered all that it was asked; is it another version?"};
}

bool is_gone(const frr::Failure& failure) {
  return failure.kind == frr::Failure::Kind::not_running || failure.kind == frr::Failure::Kind::absent;
}

}  // namespace

Keeper::Keeper(boost::asio::io_context& io, Changed changed)
    : io_(io), changed_(std::move(changed)), timer_(io) {}

auto Keeper::status() const -> const Status* {
  return vtysh_ ? &status_ : nullptr;
}

void Keeper::follow(const std::optional<config::Bgp>& bgp, Prefixes prefixes) {
  const bool has_peers = bgp && !bgp->peers.empty();
  if (vtysh_ && (!has_peers || bgp->frr != bgp_.frr || bgp->asn != bgp_.asn)) {
    leave();
  }
  if (!has_peers) {
    return;
  }
  if (vtysh_ == nullptr) {
    vtysh_ = std::make_unique<frr::Vtysh>(io_, bgp->frr);
    status_ = {};
    managed_ = all_of(ours_always(), returned_from(*bgp));
    is_looking_ = has_asked_ = is_to_look_again_ = false;
    refusal_.reset();
    said_.clear();
  }
  if (prefixes != status_.prefixes) {
    refusal_.reset();
    not_before_ = {};
  }
  bgp_ = *bgp;
  originator_.follow(bgp_.advertising);
  managed_ = all_of(managed_, prefixes);
  status_.asn = bgp_.asn;
  status_.instance = bgp_.frr;
  status_.prefixes = std::move(prefixes);
  std::vector<Session> sessions;
  for (const auto& peer : bgp_.peers) {
    const auto before = std::ranges::find(status_.sessions, peer.address,
                                          [](const Session& session) { return session.peer.address; });
    sessions.push_back(before == status_.sessions.end() ? Session{.state = "not known yet"} : *before);
    sessions.back().peer = peer;
  }
  status_.sessions = std::move(sessions);
  act();
}

// What was told to another FRR, or before the peers were removed. An order may just have been under way: what there is now, FRR says.
void Keeper::leave() {
  vtysh_.reset();
  timer_.cancel();
  std::erase_if(farewells_, [](const auto& farewell) { return farewell->is_done(); });
  farewells_.push_back(std::make_unique<Farewell>(io_, bgp_.frr, bgp_.asn, managed_));
  auto waiting = std::exchange(served_, {});
  std::ranges::move(std::exchange(waiting_, {}), std::back_inserter(waiting));
  for (const auto& done : waiting) {
    done();
  }
}

// What was still to be withdrawn from the same one.
auto Keeper::returned_from(const config::Bgp& bgp) -> Prefixes {
  const auto found = std::ranges::find_if(
      farewells_, [&](const auto& farewell) { return farewell->is_to(bgp.frr, bgp.asn); });
  if (found == farewells_.end()) {
    return {};
  }
  auto managed = (*found)->managed();
  farewells_.erase(found);
  return managed;
}

void Keeper::judge(std::vector<std::string> why_not) {
  originator_.judge(std::move(why_not), Clock::now());
  wish_may_have_changed();
}

void Keeper::drain(bool is_drained) {
  originator_.drain(is_drained);
  wish_may_have_changed();
}

void Keeper::look(std::function<void()> done) {
  if (!vtysh_) {
    done();
    return;
  }
  waiting_.push_back(std::move(done));
  if (!is_looking_) {
    begin();
  }
}

void Keeper::wish_may_have_changed() {
  if (!vtysh_) {
    return;
  }
  const auto now = Clock::now();
  const auto wish = originator_.wish(now);
  status_.why_not = originator_.why_not(now);
  const bool is_wanted = wish == Wish::announce || (wish == Wish::leave && !status_.originated.empty());
  const bool is_other = is_wanted != status_.is_wanted;
  status_.is_wanted = is_wanted;
  if (is_other || (wish != Wish::leave && !status_.agrees() && !status_.failure)) {
    act();
  } else {
    wait();
  }
}

// A look that is under way may have asked before the wish changed.
void Keeper::act() {
  status_.is_settled = status_.is_settled && status_.agrees();
  if (!is_looking_) {
    begin();
  } else if (has_asked_) {
    is_to_look_again_ = true;
  }
}

// In a moment: whoever wants one by then is served by this one.
void Keeper::begin() {
  is_looking_ = true;
  has_asked_ = is_to_look_again_ = has_failed_ = is_told_again_ = false;
  order_.reset();
  found_.reset();
  timer_.expires_after(milliseconds{0});
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error && vtysh_ && is_looking_ && !has_asked_) {
      has_asked_ = true;
      served_ = std::exchange(waiting_, {});
      ask();
    }
  });
}

void Keeper::ask() {
  static_cast<void>(has_moved());
  vtysh_->ask({show_config, "show bgp ipv4 unicast summary json"},
              [this](const frr::Result<std::string>& answer) { heard(answer); });
}

void Keeper::heard(const frr::Result<std::string>& answer) {
  const auto taken = answer ? take(*answer) : frr::Result<void>{tl::unexpected(answer.error())};
  if (!taken) {
    failed(taken.error());
    return;
  }
  if (!found_) {
    found_ = status_.originated;
  }
  if (order_) {
    confirm(*std::exchange(order_, std::nullopt));
  } else {
    go_on();
  }
}

void Keeper::go_on() {
  const auto now = Clock::now();
  const auto wish = originator_.wish(now);
  status_.why_not = originator_.why_not(now);
  status_.is_wanted = wish == Wish::announce || (wish == Wish::leave && !status_.originated.empty());
  if (wish != Wish::announce) {
    refusal_.reset();
    not_before_ = {};
  }
  if (auto order = next_order(wish, now)) {
    tell(std::move(*order));
    return;
  }
  status_.failure = refusal_;
  if (refusal_) {
    say(*refusal_);
  } else if (!std::exchange(said_, {}).empty()) {
    spdlog::info("FRR answers again");
  }
  ask_what_peers_were_told();
}

// Nothing: FRR does what it is to do, or what it may be told by now.
auto Keeper::next_order(Wish wish, Clock::time_point now) const -> std::optional<Order> {
  if (wish == Wish::leave) {
    return std::nullopt;
  }
  Order order{.result = wish == Wish::announce ? status_.prefixes : Prefixes{}};
  if (now < not_before_ && order.result != status_.originated) {
    order.result.clear();  // a part of it is worse than none
  }
  order.take_away = without(status_.originated, order.result);
  order.add = without(order.result, status_.originated);
  return order.take_away.empty() && order.add.empty() ? std::nullopt : std::optional{std::move(order)};
}

// The answers stand one behind the other: the configuration up to its "end", then JSON.
auto Keeper::take(std::string_view answer) -> frr::Result<void> {
  constexpr std::string_view end = "\nend\n";
  const auto at = answer.find(end);
  const auto config = read_running_config(answer.substr(0, at));
  if (std::ranges::find(config.asns, bgp_.asn) == config.asns.end()) {
    return tl::unexpected(is_starting() && config.asns.empty() ? has_just_started()
                                                               : no_router(bgp_.asn, config));
  }
  const auto documents = frr::documents(at == std::string_view::npos ? "" : answer.substr(at + end.size()));
  if (!documents) {
    return tl::unexpected(documents.error());
  }
  if (documents->size() != 1) {
    return tl::unexpected(not_all_answered());
  }
  const auto peers = read_summary(documents->front());
  if (!peers) {
    return tl::unexpected(peers.error());
  }
  status_.version = config.version;
  status_.originated = both(config.originated, managed_);
  for (auto& session : status_.sessions) {
    const auto peer = std::ranges::find(*peers, session.peer.address, &PeerState::address);
    if (peer == peers->end()) {
      session = {.peer = session.peer, .state = "not configured in FRR"};
      continue;
    }
    session.state = peer->state;
    session.is_established = peer->is_established;
    session.since_unix_ms = peer->since_unix_ms;
    session.received = peer->received;
    session.sent = peer->sent;
  }
  status_.asked_unix_ms = now_unix_ms();
  return {};
}

// Nothing is decided by it.
void Keeper::ask_what_peers_were_told() {
  std::vector<std::uint32_t> peers;
  std::vector<std::string> questions;
  auto room = most_listed;
  for (auto& session : status_.sessions) {
    if (session.sent == 0 || session.sent > room) {
      session.advertised.clear();
      continue;
    }
    room -= session.sent;
    peers.push_back(session.peer.address);
    questions.push_back(fmt::format("show bgp ipv4 unicast neighbors {} advertised-routes json",
                                    base::address_to_string(session.peer.address)));
  }
  if (questions.empty()) {
    end_look();
    return;
  }
  vtysh_->ask(std::move(questions), [this, peers = std::move(peers)](const frr::Result<std::string>& answer) {
    const auto taken = answer ? take_told(peers, *answer) : frr::Result<void>{tl::unexpected(answer.error())};
    taken ? end_look() : failed(taken.error());
  });
}

auto Keeper::take_told(const std::vector<std::uint32_t>& peers, std::string_view answer)
    -> frr::Result<void> {
  const auto documents = frr::documents(answer);
  if (!documents) {
    return tl::unexpected(documents.error());
  }
  if (documents->size() != peers.size()) {
    return tl::unexpected(not_all_answered());
  }
  for (std::size_t i = 0; i != peers.size(); ++i) {
    auto told = read_advertised_routes((*documents)[i]);
    if (!told) {
      return tl::unexpected(told.error());
    }
    const auto session =
        std::ranges::find(status_.sessions, peers[i], [](const Session& each) { return each.peer.address; });
    if (session != status_.sessions.end()) {
      session->advertised = std::move(*told);
    }
  }
  return {};
}

void Keeper::tell(Order order) {
  order_ = std::move(order);
  vtysh_->ask(commands(bgp_.asn, order_->take_away, order_->add),
              [this](const frr::Result<std::string>& answer) { told(answer); });
}

// What has become of it, FRR says: of what it refused, it may have taken a part.
void Keeper::told(const frr::Result<std::string>& answer) {
  if (answer) {
    ask();
  } else if (std::exchange(order_, std::nullopt)->add.empty()) {
    failed(answer.error());
  } else {
    refused(answer.error());
    ask();
  }
}

void Keeper::refused(const frr::Failure& failure) {
  ++status_.counts.failed;
  refusal_ = failure;
  not_before_ = Clock::now() + after_refusal;
}

// Somebody else may have told FRR something in the same moment: it is told once more.
void Keeper::confirm(const Order& order) {
  const auto failure = not_kept(status_.originated, order.result);
  if (status_.originated == order.result) {
    carried_out(order);
    go_on();
  } else if (!std::exchange(is_told_again_, true)) {
    go_on();
  } else if (order.add.empty()) {
    failed(failure);
  } else {
    refused(failure);
    go_on();
  }
}

void Keeper::carried_out(const Order& order) {
  const bool is_announced = !order.result.empty();
  if (is_announced) {
    refusal_.reset();
  }
  ++(is_announced ? status_.counts.announced : status_.counts.withdrawn);
  status_.changed_unix_ms = now_unix_ms();
  if (!order.take_away.empty()) {
    spdlog::warn("{} withdrawn from BGP peers: {}", list_of(order.take_away), why_taken_away(order));
  }
  if (!order.add.empty()) {
    spdlog::info("{} advertised to {} BGP peers", list_of(order.add), bgp_.peers.size());
  }
  if (std::exchange(found_, order.result) != order.result) {
    changed_(is_announced, status_);
  }
}

auto Keeper::why_taken_away(const Order& order) const -> std::string {
  if (refusal_) {
    return refusal_->sentence;
  }
  const auto why_not = order.result.empty() ? originator_.why_not(Clock::now()) : std::vector<std::string>{};
  return why_not.empty() ? "it is not configured any more" : fmt::format("{}", fmt::join(why_not, "; "));
}

void Keeper::failed(const frr::Failure& failure) {
  status_.failure = failure;
  has_failed_ = true;
  if (!is_starting()) {  // otherwise it is what every start looks like
    ++status_.counts.failed;
    say(failure);
  }
  if (is_gone(failure)) {
    status_.originated.clear();
    refusal_.reset();
    not_before_ = {};
    for (auto& session : status_.sessions) {
      session = {.peer = session.peer, .state = "FRR is not running"};
    }
  }
  end_look();
}

void Keeper::say(const frr::Failure& failure) {
  if (std::exchange(said_, failure.sentence) != failure.sentence) {
    spdlog::error("{}; tried again until it answers, and forwarding goes on", failure.sentence);
  }
}

// Who has asked meanwhile waits for the next one, and no longer.
void Keeper::end_look() {
  is_looking_ = false;
  const auto again = is_starting() ? between_glances : after_failure;
  next_look_ = Clock::now() + (has_failed_ ? again : between_looks);
  status_.is_settled = !is_to_look_again_;
  for (const auto& done : std::exchange(served_, {})) {
    done();
  }
  if (!vtysh_ || is_looking_) {
    return;
  }
  if (is_to_look_again_ || !waiting_.empty()) {
    begin();
  } else {
    wait();
  }
}

// For the next look, for the time that damps the wish, or for another bgpd. While a look is under way there is nothing to wait for.
void Keeper::wait() {
  if (is_looking_) {
    return;
  }
  const auto now = Clock::now();
  auto until = std::min(next_look_, now + between_glances);
  if (const auto changes = originator_.changes_at(now)) {
    until = std::min(until, *changes);
  }
  timer_.expires_at(std::max(until, now));
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (error || !vtysh_ || is_looking_) {
      return;
    }
    if (has_moved() || Clock::now() >= next_look_) {
      act();
    } else {
      wish_may_have_changed();
    }
  });
}

bool Keeper::is_starting() const {
  return Clock::now() < begun_ + a_start;
}

// A bgpd that starts makes its socket anew. It has refused nothing yet.
bool Keeper::has_moved() {
  struct stat found {};
  std::optional<std::pair<std::uint64_t, std::uint64_t>> now;
  if (::stat(frr::bgpd_socket(bgp_.frr).c_str(), &found) == 0) {
    now.emplace(found.st_ino, static_cast<std::uint64_t>(found.st_ctim.tv_sec) * 1'000'000'000U +
                                  static_cast<std::uint64_t>(found.st_ctim.tv_nsec));
  }
  const bool is_another = std::exchange(socket_, now) != now;
  if (is_another) {
    not_before_ = {};
    if (now) {
      begun_ = Clock::now();
    }
  }
  return is_another;
}

}  // namespace sekisho::advertise
