// SPDX-License-Identifier: BSD-3-Clause
#include "control/advertise/keeper.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "control/route/internet.hpp"

namespace sekisho::advertise {
namespace {

using std::chrono::milliseconds;
using Prefixes = std::vector<base::Prefix>;

constexpr milliseconds between_glances{500};  // at bgpd's socket
constexpr milliseconds between_looks{5000};
constexpr milliseconds after_failure{2000};
constexpr milliseconds after_refusal{30'000};  // each attempt may show a part of it for a moment

std::uint64_t now_unix_ms() {
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count());
}

auto without(const Prefixes& all, const Prefixes& others) -> Prefixes {
  Prefixes result;
  std::ranges::set_difference(all, others, std::back_inserter(result));
  return result;
}

auto both(const Prefixes& a, const Prefixes& b) -> Prefixes {
  Prefixes result;
  std::ranges::set_intersection(a, b, std::back_inserter(result));
  return result;
}

auto all_of(const Prefixes& a, const Prefixes& b) -> Prefixes {
  Prefixes result;
  std::ranges::set_union(a, b, std::back_inserter(result));
  return result;
}

// What is ours in FRR whoever told it.
auto ours_always() -> Prefixes {
  return {route::default_route, route::halves[0], route::halves[1]};
}

std::string text_of(const Prefixes& prefixes) {
  constexpr std::size_t most = 4;
  std::vector<std::string> texts;
  std::ranges::transform(
      prefixes.begin(), prefixes.begin() + static_cast<std::ptrdiff_t>(std::min(most, prefixes.size())),
      std::back_inserter(texts), [](base::Prefix prefix) { return base::to_string(prefix); });
  return prefixes.size() <= most
             ? fmt::format("{}", fmt::join(texts, ", "))
             : fmt::format("{} and {} more", fmt::join(texts, ", "), prefixes.size() - most);
}

constexpr auto show_config = "show running-config no-header";

auto no_router(std::uint32_t asn, const RunningConfig& config) -> frr::Failure {
  const auto has =
      config.asns.empty() ? std::string{"has no `router bgp`"} : fmt::format("is AS {}", config.asns.front());
  return {
      frr::Failure::Kind::refused,
      fmt::format("FRR {}, and [bgp] says AS {}: `sekisho bgp apply` writes its configuration", has, asn)};
}

}  // namespace

auto commands(std::uint32_t asn, const Prefixes& take_away, const Prefixes& add) -> std::vector<std::string> {
  std::vector<std::string> result{"configure terminal", fmt::format("router bgp {}", asn),
                                  "address-family ipv4 unicast"};
  for (const auto prefix : take_away) {
    result.push_back("no network " + base::to_string(prefix));
  }
  for (const auto prefix : add) {
    result.push_back("network " + base::to_string(prefix));
  }
  return result;
}

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
  const bool is_new = vtysh_ == nullptr;
  if (is_new) {
    vtysh_ = std::make_unique<frr::Vtysh>(io_, bgp->frr);
    status_ = {};
    managed_ = ours_always();
    is_looking_ = is_to_look_again_ = false;
    taking_back_.reset();
    said_.clear();
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
  for (const auto& done : std::exchange(waiting_, {})) {
    done();
  }
  const auto withdrawn = [](const Prefixes& prefixes) {
    return [prefixes](const frr::Result<std::string>& answer) {
      if (answer) {
        spdlog::warn("{} withdrawn from BGP peers: it is not configured any more", text_of(prefixes));
      } else {
        spdlog::error("{} could not be withdrawn from BGP peers: {}", text_of(prefixes),
                      answer.error().sentence);
      }
    };
  };
  former_ = std::make_unique<frr::Vtysh>(io_, bgp_.frr);
  former_->ask({show_config}, [this, withdrawn, asn = bgp_.asn,
                               managed = managed_](const frr::Result<std::string>& answer) {
    const auto ours = answer ? both(read_running_config(*answer).originated, managed) : Prefixes{};
    if (!ours.empty()) {
      former_->ask(commands(asn, ours, {}), withdrawn(ours));
    }
  });
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
  act();
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
  if (is_looking_) {
    is_to_look_again_ = true;
    return;
  }
  is_looking_ = true;
  has_asked_twice_ = false;
  ask();
}

void Keeper::ask() {
  std::vector<std::string> questions{show_config, "show bgp ipv4 unicast summary json"};
  for (const auto& peer : bgp_.peers) {
    questions.push_back(fmt::format("show bgp ipv4 unicast neighbors {} advertised-routes json",
                                    base::address_to_string(peer.address)));
  }
  static_cast<void>(has_moved());
  vtysh_->ask(std::move(questions), [this](const frr::Result<std::string>& answer) { heard(answer); });
}

void Keeper::heard(const frr::Result<std::string>& answer) {
  auto taken = answer ? take(*answer) : frr::Result<void>{tl::unexpected(answer.error())};
  if (!taken) {
    failed(taken.error());
    return;
  }
  if (taking_back_) {
    take_back();
    return;
  }
  const auto now = Clock::now();
  const auto wish = originator_.wish(now);
  status_.why_not = originator_.why_not(now);
  status_.is_wanted = wish == Wish::announce || (wish == Wish::leave && !status_.originated.empty());
  if (wish == Wish::leave || has_asked_twice_) {
    end_look();
    return;
  }
  const auto wanted = wish == Wish::announce ? status_.prefixes : Prefixes{};
  const auto take_away = without(status_.originated, wanted);
  const auto add = without(wanted, status_.originated);
  if (take_away.empty() && add.empty()) {
    end_look();
  } else {
    tell(take_away, add);
  }
}

// The answers stand one behind the other: the configuration up to its "end", then JSON.
auto Keeper::take(std::string_view answer) -> frr::Result<void> {
  constexpr std::string_view end = "\nend\n";
  const auto at = answer.find(end);
  const auto config = read_running_config(answer.substr(0, at));
  if (std::ranges::find(config.asns, bgp_.asn) == config.asns.end()) {
    return tl::unexpected(no_router(bgp_.asn, config));
  }
  const auto documents = frr::documents(at == std::string_view::npos ? "" : answer.substr(at + end.size()));
  if (!documents) {
    return tl::unexpected(documents.error());
  }
  if (documents->size() != 1 + bgp_.peers.size()) {
    return tl::unexpected(frr::Failure{frr::Failure::Kind::broken,
                                       "FRR has not answered all that it was asked; is it another version?"});
  }
  const auto peers = read_summary(documents->front());
  if (!peers) {
    return tl::unexpected(peers.error());
  }
  status_.version = config.version;
  status_.originated = both(config.originated, managed_);
  for (std::size_t i = 0; i != status_.sessions.size() && i + 1 < documents->size(); ++i) {
    auto& session = status_.sessions[i];
    const auto told = read_advertised_routes((*documents)[i + 1]);
    if (!told) {
      return tl::unexpected(told.error());
    }
    const auto peer = std::ranges::find(*peers, session.peer.address, &PeerState::address);
    session = {.peer = session.peer, .state = "not configured in FRR"};
    if (peer != peers->end()) {
      session.state = peer->state;
      session.is_established = peer->is_established;
      session.since_unix_ms = peer->since_unix_ms;
      session.received = peer->received;
      session.sent = peer->sent;
      session.advertised = *told;
    }
  }
  status_.asked_unix_ms = now_unix_ms();
  status_.failure.reset();
  if (!std::exchange(said_, {}).empty()) {
    spdlog::info("FRR answers again");
  }
  return {};
}

void Keeper::tell(const Prefixes& take_away, const Prefixes& add) {
  const bool is_announced = !add.empty();
  vtysh_->ask(commands(bgp_.asn, take_away, add),
              [this, is_announced](const frr::Result<std::string>& answer) { told(is_announced, answer); });
}

void Keeper::told(bool is_announced, const frr::Result<std::string>& answer) {
  if (!answer && is_announced) {
    taking_back_ = answer.error();
    ask();
    return;
  }
  if (!answer) {
    failed(answer.error());
    return;
  }
  ++(is_announced ? status_.counts.announced : status_.counts.withdrawn);
  status_.changed_unix_ms = now_unix_ms();
  if (is_announced) {
    spdlog::info("{} advertised to {} BGP peers", text_of(status_.prefixes), bgp_.peers.size());
  } else {
    spdlog::warn("{} withdrawn from BGP peers: {}", text_of(status_.originated),
                 status_.why_not.empty() ? "it is not configured any more"
                                         : fmt::format("{}", fmt::join(status_.why_not, "; ")));
  }
  changed_(is_announced, status_);
  has_asked_twice_ = true;
  ask();
}

// FRR took a part of what was to be announced, or none of it.
void Keeper::take_back() {
  const auto why = *taking_back_;
  if (status_.originated.empty()) {
    failed(why);
    return;
  }
  vtysh_->ask(commands(bgp_.asn, status_.originated, {}),
              [this, why](const frr::Result<std::string>& answer) {
                if (answer) {
                  status_.originated.clear();
                }
                failed(answer ? why : answer.error());
              });
}

void Keeper::failed(const frr::Failure& failure) {
  ++status_.counts.failed;
  status_.failure = failure;
  pause_ = std::exchange(taking_back_, std::nullopt) ? after_refusal : after_failure;
  if (std::exchange(said_, failure.sentence) != failure.sentence) {
    spdlog::error("{}; tried again until it answers, and forwarding goes on", failure.sentence);
  }
  if (failure.kind == frr::Failure::Kind::not_running || failure.kind == frr::Failure::Kind::absent) {
    status_.originated.clear();
    for (auto& session : status_.sessions) {
      session = {.peer = session.peer, .state = "FRR is not running"};
    }
  }
  end_look();
}

void Keeper::end_look() {
  is_looking_ = false;
  next_look_ = Clock::now() + (status_.failure ? pause_ : between_looks);
  if (std::exchange(is_to_look_again_, false) && !status_.failure) {
    act();
    return;
  }
  status_.is_settled = true;
  for (const auto& done : std::exchange(waiting_, {})) {
    done();
  }
  wait();
}

// For the next look, for the time that damps the wish, or for another bgpd.
void Keeper::wait() {
  const auto now = Clock::now();
  auto until = std::min(next_look_, now + between_glances);
  if (const auto changes = originator_.changes_at(now)) {
    until = std::min(until, *changes);
  }
  timer_.expires_at(std::max(until, now));
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (error || !vtysh_) {
      return;
    }
    if (!is_looking_ && (has_moved() || Clock::now() >= next_look_)) {
      act();
    } else {
      wish_may_have_changed();
    }
  });
}

// A bgpd that starts makes its socket anew.
bool Keeper::has_moved() {
  struct stat found {};
  std::optional<std::pair<std::uint64_t, std::uint64_t>> now;
  if (::stat(frr::bgpd_socket(bgp_.frr).c_str(), &found) == 0) {
    now.emplace(found.st_ino, static_cast<std::uint64_t>(found.st_ctim.tv_sec) * 1'000'000'000U +
                                  static_cast<std::uint64_t>(found.st_ctim.tv_nsec));
  }
  return std::exchange(socket_, now) != now;
}

namespace {

auto running_config_now(const std::string& instance) -> frr::Result<RunningConfig> {
  const auto answer = frr::ask_now(instance, {show_config});
  if (answer) {
    return read_running_config(*answer);
  }
  using Kind = frr::Failure::Kind;
  const auto kind = answer.error().kind;
  return kind == Kind::not_running || kind == Kind::absent ? frr::Result<RunningConfig>{RunningConfig{}}
                                                           : tl::unexpected(answer.error());
}

}  // namespace

auto originated_now(const std::string& instance, const Prefixes& prefixes) -> frr::Result<Prefixes> {
  return running_config_now(instance).map(
      [&](const RunningConfig& config) { return both(config.originated, all_of(ours_always(), prefixes)); });
}

auto withdraw_now(const std::string& instance, const Prefixes& prefixes) -> frr::Result<Prefixes> {
  const auto config = running_config_now(instance);
  if (!config) {
    return tl::unexpected(config.error());
  }
  const auto ours = both(config->originated, all_of(ours_always(), prefixes));
  if (ours.empty()) {
    return ours;
  }
  return frr::ask_now(instance, commands(config->asns.front(), ours, {})).map([&](const std::string&) {
    return ours;
  });
}

}  // namespace sekisho::advertise
