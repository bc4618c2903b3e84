#include "control/daemon.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <chrono>
#include <csignal>
#include <fstream>
#include <iterator>
#include <utility>

#include "control/api/live.hpp"
#include "control/egress/host_stack.hpp"
#include "control/kernel/wanted.hpp"

namespace sekisho {
namespace {

// Every attempt to open a device takes the dataplane's writer a while and, with AF_XDP, costs it buffers.
constexpr std::chrono::seconds first_retry{2};
constexpr std::chrono::seconds last_retry{60};
// How long the guard may be missing after nftables has refused it, and a reload wait for neighbours that are
// new to us.
constexpr std::chrono::seconds guard_retry_after{1};
constexpr std::chrono::seconds longest_patience{1};

std::uint64_t now_unix_ms() {
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(
                                        std::chrono::system_clock::now().time_since_epoch())
                                        .count());
}

std::optional<boost::asio::ip::tcp::endpoint> metrics_endpoint(const policy::Policy& policy) {
  const auto& metrics = policy.config.metrics;
  return metrics ? std::optional(boost::asio::ip::tcp::endpoint(boost::asio::ip::address_v4(metrics->address),
                                                                metrics->port))
                 : std::nullopt;
}

bool host_forwards() {
  bool forwards = false;
  return std::ifstream("/proc/sys/net/ipv4/conf/all/forwarding") >> forwards && forwards;
}

kernel::Guard guard_of(const policy::Policy& policy) {
  const config::Port* port = egress::exit_port(policy.config);
  return {.netdevs = policy.config.guarded_netdevs(),
          .exit = port == nullptr ? std::string{} : *port->netdev(),
          .exceptions = policy.exceptions};
}

// All that the guard is to know of a policy that waits: it lets nothing out yet.
kernel::Guard netdevs_of(const policy::Policy& policy) {
  return {.netdevs = policy.config.guarded_netdevs(), .exit = {}, .exceptions = {}};
}

std::string summary(const api::Committed& committed) {
  return fmt::format("ports {}, next hops {}, adjacencies {}, zones {}, routes +{} ~{} -{}",
                     committed.ports_changed(), committed.next_hops_changed(),
                     committed.adjacencies_changed(), committed.zones_changed(), committed.routes_added(),
                     committed.routes_changed(), committed.routes_removed());
}

std::vector<std::pair<std::string, std::uint32_t>> neighbours_to_keep(const policy::Policy& policy,
                                                                      const kernel::Mirror& mirror) {
  std::map<std::string, std::string> netdevs;
  for (const auto& port : policy.config.ports) {
    if (const auto netdev = port.netdev()) {
      netdevs[port.name] = *netdev;
    }
  }
  std::vector<std::pair<std::string, std::uint32_t>> result;
  for (const auto& member : egress::members(policy.config, mirror)) {
    if (const auto netdev = netdevs.find(member.port); netdev != netdevs.end()) {
      result.emplace_back(netdev->second, member.address);
    }
  }
  if (const auto gateway = egress::exit_neighbour(policy.config, mirror)) {
    result.push_back(*gateway);
  }
  return result;
}

}  // namespace

Daemon::Daemon(boost::asio::io_context& io, Options options, std::shared_ptr<const policy::Policy> policy)
    : options_(std::move(options)),
      policy_(std::move(policy)),
      io_(io),
      signals_(io, SIGHUP, SIGTERM, SIGINT),
      retry_(io),
      guard_retry_(io),
      metrics_retry_(io),
      patience_(io),
      dataplane_(io, options_.dataplane_socket,
                 {.connected = [this] { on_connected(); },
                  .disconnected = [this](const std::string& reason) { on_disconnected(reason); },
                  .event = [this](const api::Event& event) { on_event(event); }}),
      started_unix_ms_(now_unix_ms()) {
  reload_counts_.last_success_unix_ms = started_unix_ms_;
}

auto Daemon::start(boost::asio::io_context& io, Options options)
    -> tl::expected<std::unique_ptr<Daemon>, std::string> {
  auto policy = policy::read(options.config);
  if (!policy) {
    return tl::unexpected(policy.error().to_string());
  }
  auto daemon = std::unique_ptr<Daemon>(new Daemon(io, std::move(options), std::move(*policy)));
  if (auto opened = daemon->open(); !opened) {
    return tl::unexpected(std::move(opened.error()));
  }
  return daemon;
}

// The API's socket first: a second sekisho-control is refused before it touches anything. The guard before
// the dataplane: no port starts without it.
auto Daemon::open() -> tl::expected<void, std::string> {
  auto server =
      api::Server::listen(io_, options_.socket, *this, {.user = {}, .group = options_.socket_group});
  if (!server) {
    return tl::unexpected(std::move(server.error()));
  }
  server_ = std::move(*server);
  for (const auto& warning : policy_->warnings) {
    spdlog::warn("{}", warning);
  }

  auto wanted = guard_of(*policy_);
  // The dataplane may still run the ports that an earlier run of ours guarded; they leave with the first
  // commit.
  if (const auto before = kernel::guard_status()) {
    wanted = kernel::merge(*before, wanted);
  }
  if (auto guarded = guard(std::move(wanted)); !guarded) {
    return guarded;
  }
  auto watch = kernel::GuardWatch::open(io_, [this] { on_nftables_changed(); });
  if (!watch) {
    return tl::unexpected(std::move(watch.error()));
  }
  guard_watch_ = std::move(*watch);
  // Between the guard and its watch somebody may have removed it.
  if (auto guarded = guard(guarded_); !guarded) {
    return guarded;
  }

  auto netlink = kernel::Netlink::open(io_, [this] { on_kernel_changed(); });
  if (!netlink) {
    return tl::unexpected(std::move(netlink.error()));
  }
  netlink_ = std::move(*netlink);
  look();
  serve_metrics();
  wait_for_signal();
  spdlog::info("{} read: {} ports, {} zones; connecting to the dataplane at {}", options_.config.string(),
               policy_->config.ports.size(), policy_->zones.size(), options_.dataplane_socket.string());
  dataplane_.start();
  return {};
}

void Daemon::wait_for_signal() {
  signals_.async_wait([this](const boost::system::error_code& error, int signal) {
    if (error) {
      return;
    }
    if (signal != SIGHUP) {
      spdlog::info("stopping; the dataplane goes on forwarding and the guard stays");
      io_.stop();
      return;
    }
    reload([](const auto&) {});  // what became of it stands in the log
    wait_for_signal();
  });
}

// --- What happens outside.

void Daemon::on_kernel_changed() {
  if (std::exchange(look_is_due_, true)) {
    return;
  }
  boost::asio::post(io_, [this] {
    look_is_due_ = false;
    look();
    advance();
  });
}

void Daemon::on_nftables_changed() {
  const auto status = kernel::guard_status();
  if (status && *status == guarded_) {
    return;
  }
  if (const auto done = guard(guarded_)) {
    spdlog::warn("somebody removed or changed the guard in nftables; it is back");
  } else {
    spdlog::error("the kernel may forward in our stead: {}", done.error());
  }
}

void Daemon::on_connected() {
  spdlog::info("connected to the dataplane");
  told_.reset();
  is_new_connection_ = true;
  retry_pause_ = first_retry;
  failed_ports_.clear();
  failed_exit_.clear();
  api::Request subscribe;
  subscribe.mutable_subscribe();
  dataplane_.ask(std::move(subscribe), [](const auto& answer) {
    if (!answer) {
      spdlog::warn("the dataplane reports no events: {}", answer.error());
    }
  });
  if (has_taken_over_) {
    advance();
  } else {
    take_over();
  }
}

// Asks, before the first transaction, which members the dataplane forwards to on the word of an earlier
// control.
void Daemon::take_over() {
  api::Request request;
  request.mutable_get_state();
  dataplane_.ask(std::move(request), [this](const auto& answer) {
    if (!answer) {
      return;  // the connection is gone; the next one asks again
    }
    has_taken_over_ = true;
    // Ports that still run, whatever our configuration says by now, are guarded until the first commit has
    // closed them.
    kernel::Guard running;
    for (const auto& port : answer->back().state().ports()) {
      constexpr std::string_view af_xdp = "af_xdp:";
      if (port.device().starts_with(af_xdp)) {
        running.netdevs.push_back(port.device().substr(af_xdp.size()));
      }
    }
    std::ranges::sort(running.netdevs);
    if (const auto done = guard(kernel::merge(running, guarded_)); !done) {
      spdlog::error("the kernel may forward in our stead: {}", done.error());
    }
    for (const auto& adjacency : answer->back().state().adjacencies()) {
      kernel::MacAddress mac{};
      if (adjacency.alive() && adjacency.mac().size() == mac.size()) {
        std::ranges::copy(adjacency.mac(), reinterpret_cast<char*>(mac.data()));
        inherited_[{adjacency.key().port(), adjacency.key().address()}] = mac;
      }
    }
    look();
    advance();
  });
}

void Daemon::on_disconnected(const std::string& reason) {
  told_.reset();
  spdlog::warn("the dataplane is gone ({}); waiting for it at {}", reason,
               options_.dataplane_socket.string());
  // A reload that was to be sent is kept for the next connection, and its caller need not wait for that.
  for (auto& waiting : std::exchange(reloads_, {})) {
    store(std::move(waiting));
  }
}

void Daemon::on_event(const api::Event& event) {
  if (event.has_port()) {
    const auto& port = event.port();
    if (port.running()) {
      if (failed_ports_.erase(port.name()) != 0) {
        spdlog::info("port {} runs now", port.name());
      }
    } else if (!port.error().empty()) {
      auto& why = failed_ports_[port.name()];
      if (std::exchange(why, port.error()) != port.error()) {
        spdlog::warn("port {} failed: {}", port.name(), port.error());
      }
      retry_later();
    }
  } else if (event.has_link()) {
    spdlog::info("port {}: the device's link is {}", event.link().port(), event.link().up() ? "up" : "down");
  }
}

// --- The world as it is now.

void Daemon::look() {
  const auto before = std::exchange(view_, sync::view(policy_->config, netlink_->mirror(), inherited_));
  if (view_.exit && !failed_exit_.empty()) {
    view_.exit->ready = false;
    view_.exit->why = failed_exit_;
  }
  std::erase_if(inherited_, [this](const auto& entry) {
    return std::ranges::none_of(view_.members, [&](const egress::Member& member) {
      return member.inherited && entry.first == std::pair{member.port, member.address};
    });
  });
  report_links();
  report_members(before.members);
  report_exit(before.exit);
  keep();
}

// The policy that runs and those that are to come: what those need is there before traffic moves to it. Interfaces that
// are leaving the guard no longer forward, unless an operator has the whole host forward.
void Daemon::keep(const std::vector<std::string>& leaving) {
  std::vector<std::pair<std::string, std::uint32_t>> neighbours;
  kernel::Wanted wanted;
  const auto add = [&](const policy::Policy& policy) {
    const auto& mirror = netlink_->mirror();
    const auto more = neighbours_to_keep(policy, mirror);
    neighbours.insert(neighbours.end(), more.begin(), more.end());
    wanted.merge(egress::host_stack(policy.config, mirror));
  };
  add(*policy_);
  if (sending_) {
    add(*sending_);
  }
  for (const auto& reload : reloads_) {
    add(*reload.policy);
  }
  std::ranges::sort(neighbours);
  neighbours.erase(std::ranges::unique(neighbours).begin(), neighbours.end());
  if (!leaving.empty() && !host_forwards()) {
    for (const auto& netdev : leaving) {
      if (const kernel::Link* link = netlink_->mirror().link(netdev)) {
        wanted.settings[link->index].forwarding = false;
      }
    }
  }
  netlink_->keep_resolved(neighbours);
  netlink_->keep(wanted);
}

void Daemon::report_exit(const std::optional<egress::Exit>& before) const {
  const auto& now = view_.exit;
  if (!now || (before && before->ready == now->ready && before->why == now->why)) {
    return;
  }
  if (now->ready) {
    spdlog::info("next hop Internet is up: by port {}, masqueraded as {}", now->port,
                 fib::address_to_string(*now->address));
  } else {
    spdlog::log(now->asking ? spdlog::level::debug : spdlog::level::warn, "next hop Internet is down: {}",
                now->why);
  }
}

void Daemon::report_members(const std::vector<egress::Member>& before) const {
  for (const auto& member : view_.members) {
    const auto old = std::ranges::find(before, member.address, &egress::Member::address);
    if (old != before.end() && old->alive == member.alive) {
      continue;
    }
    for (const auto& next_hop : policy_->config.next_hops) {
      if (!std::ranges::binary_search(next_hop.members, member.address)) {
        continue;
      }
      if (member.alive) {
        spdlog::info("member {} {} is up on port {}", next_hop.name, fib::address_to_string(member.address),
                     member.port);
      } else {
        spdlog::warn("member {} {} is down: {}", next_hop.name, fib::address_to_string(member.address),
                     member.why);
      }
    }
  }
}

void Daemon::report_links() {
  std::map<std::string, std::optional<bool>> now;
  bool came = false;
  for (const auto& port : policy_->config.ports) {
    const auto netdev = port.netdev();
    if (!netdev) {
      continue;
    }
    const kernel::Link* link = netlink_->mirror().link(*netdev);
    const auto state = link == nullptr ? std::optional<bool>() : link->up;
    now[*netdev] = state;
    const auto old = links_.find(*netdev);
    if (old != links_.end() && old->second == state) {
      continue;
    }
    came = came || (state && failed_ports_.contains(port.name));
    if (!state) {
      spdlog::warn("port {}: there is no interface {}", port.name, *netdev);
    } else {
      spdlog::info("port {}: link {} is {}", port.name, *netdev, *state ? "up" : "down");
    }
  }
  links_ = std::move(now);
  if (came) {
    told_.reset();  // the next transaction starts the port, and is a full one
  }
}

// --- Transactions.

void Daemon::advance() {
  if (in_flight_ || !has_taken_over_ || !dataplane_.connected()) {
    return;
  }
  if (!reloads_.empty()) {
    if (is_to_wait(reloads_.front())) {
      patience_.expires_at(reloads_.front().patience);
      patience_.async_wait([this](const boost::system::error_code& error) {
        if (!error) {
          advance();
        }
      });
      return;
    }
    auto next = std::move(reloads_.front());
    reloads_.pop_front();
    send_full(std::move(next));
  } else if (!told_) {
    send_full(std::nullopt);
  } else {
    send_incremental();
  }
}

// A gateway that is new to us has no neighbour yet: traffic that moves to it before the kernel has found it
// would be dropped.
bool Daemon::is_to_wait(const Reload& reload) const {
  if (std::chrono::steady_clock::now() >= reload.patience) {
    return false;
  }
  const auto exit = egress::exit(reload.policy->config, netlink_->mirror());
  return (exit && exit->asking) ||
         std::ranges::any_of(egress::members(reload.policy->config, netlink_->mirror(), inherited_),
                             [](const egress::Member& member) { return member.asking && !member.inherited; });
}

void Daemon::send_full(std::optional<Reload> reload) {
  const auto policy = reload ? reload->policy : policy_;
  // Until the dataplane has let go of them, ports of the old policy stay guarded beside those of the new.
  if (auto done = guard(kernel::merge(guarded_, guard_of(*policy))); !done) {
    if (reload) {
      spdlog::error("reload refused: {}", done.error());
      reload->done(tl::unexpected(done.error()));
      boost::asio::post(io_, [this] { advance(); });
    } else {
      refused(done.error());
    }
    return;
  }
  auto view = reload ? sync::view(policy->config, netlink_->mirror(), inherited_) : view_;
  auto changes = sync::full(*policy, view);
  in_flight_ = true;
  sending_ = policy;
  dataplane_.transact(
      true, std::move(changes),
      [this, policy, view = std::move(view), reload = std::move(reload)](const auto& answer) mutable {
        in_flight_ = false;
        sending_.reset();
        const bool goes_on = answer || reload;  // a refused policy waits for the timer
        on_full(policy, std::move(view), std::move(reload), answer);
        if (goes_on) {
          advance();
        }
      });
}

void Daemon::on_full(const std::shared_ptr<const policy::Policy>& policy, sync::View view,
                     std::optional<Reload> reload,
                     const tl::expected<std::vector<api::Reply>, std::string>& answer) {
  if (!answer) {
    if (!reload) {
      refused(answer.error());
      return;
    }
    spdlog::error("reload refused, the policy stays as it was: {}", answer.error());
    // The dataplane did not take the new ports. Whether one that is gone did, we do not know: the next commit
    // tidies up.
    if (told_ && dataplane_.connected()) {
      if (const auto done = narrow_guard(); !done) {
        spdlog::error("{}", done.error());
      }
    }
    reload->done(tl::unexpected(answer.error()));
    return;
  }
  const api::Committed& result = answer->back().committed();
  policy_ = policy;
  serve_metrics();
  if (const auto done = narrow_guard(); !done) {
    spdlog::error("the kernel may forward in our stead: {}", done.error());
  }
  // Attempts to start a failed port are whole policies too; they are not worth a line each.
  spdlog::log(reload || std::exchange(is_new_connection_, false) ? spdlog::level::info : spdlog::level::debug,
              "{}: {}", reload ? "reloaded" : "the dataplane has the whole policy", summary(result));
  committed(result, std::move(view));
  netlink_->refresh();  // the dataplane may have made interfaces
  look();
  if (reload) {
    reload->done(api::Reloaded{.applied = true, .committed = result, .warnings = policy_->warnings});
  }
}

void Daemon::send_incremental() {
  auto changes = sync::incremental(*policy_, *told_, view_);
  if (changes.empty()) {
    return;
  }
  in_flight_ = true;
  dataplane_.transact(false, std::move(changes), [this, view = view_](const auto& answer) mutable {
    in_flight_ = false;
    if (answer) {
      committed(answer->back().committed(), std::move(view));
      advance();
    } else {
      refused(answer.error());
    }
  });
}

void Daemon::committed(const api::Committed& committed, sync::View view) {
  told_ = std::move(view);
  last_refusal_.clear();
  std::map<std::string, std::string> failed;
  for (const auto& port : committed.failed_ports()) {
    failed[port.name()] = port.error();
    if (const auto old = failed_ports_.find(port.name());
        old == failed_ports_.end() || old->second != port.error()) {
      spdlog::warn("port {} failed: {}", port.name(), port.error());
    }
  }
  for (const auto& [port, why] : failed_ports_) {
    if (!failed.contains(port)) {
      spdlog::info("port {} runs now", port);
    }
  }
  failed_ports_ = std::move(failed);
  const auto& exit = committed.exit();
  auto failed_exit = committed.has_exit() && !exit.running() ? exit.error() : std::string{};
  if (!failed_exit.empty() && failed_exit != failed_exit_) {
    spdlog::warn("next hop Internet: {}", failed_exit);
  }
  failed_exit_ = std::move(failed_exit);
  if (failed_ports_.empty() && failed_exit_.empty()) {
    retry_pause_ = first_retry;
  } else {
    retry_later();
  }
}

void Daemon::refused(const std::string& reason) {
  told_.reset();
  if (!dataplane_.connected()) {
    return;  // on_disconnected says so, and on_connected begins anew
  }
  if (std::exchange(last_refusal_, reason) != reason) {
    spdlog::error("the dataplane has not taken the policy: {}", reason);
  }
  retry_later();
}

void Daemon::retry_later() {
  if (std::exchange(retry_runs_, true)) {
    return;
  }
  retry_.expires_after(retry_pause_);
  retry_pause_ = std::min(2 * retry_pause_, last_retry);
  retry_.async_wait([this](const boost::system::error_code& error) {
    if (error) {
      return;
    }
    retry_runs_ = false;
    if (!told_ || !failed_ports_.empty() || !failed_exit_.empty()) {
      told_.reset();
      advance();
    }
  });
}

// --- Reloads.

void Daemon::reload(ReloadDone caller) {
  auto done = [this, caller = std::move(caller)](const tl::expected<api::Reloaded, std::string>& result) {
    reload_counts_.last_succeeded = result.has_value();
    ++(result ? reload_counts_.succeeded : reload_counts_.failed);
    if (result) {
      reload_counts_.last_success_unix_ms = now_unix_ms();
    }
    caller(result);
  };
  auto read = policy::read(options_.config);
  if (!read) {
    const auto reason = read.error().to_string();
    spdlog::error("reload refused, the policy stays as it was: {}", reason);
    done(tl::unexpected(reason));
    return;
  }
  // An address that the policy that runs has, too, is tried again anyway.
  if (metrics_endpoint(**read) != metrics_endpoint(*policy_) && !serves_metrics_of(**read)) {
    // Whether it could, before anything changes; it moves when the dataplane has committed.
    if (const auto possible = listen_for_metrics(**read); !possible) {
      spdlog::error("reload refused, the policy stays as it was: {}", possible.error());
      done(tl::unexpected(possible.error()));
      return;
    }
  }
  for (const auto& warning : (*read)->warnings) {
    spdlog::warn("{}", warning);
  }
  Reload next{std::move(*read), std::move(done), std::chrono::steady_clock::now() + longest_patience};
  if (!dataplane_.connected()) {
    store(std::move(next));
    return;
  }
  // Before look() has the kernel forward at a new exit.
  if (auto guarded = guard(kernel::merge(guarded_, netdevs_of(*next.policy))); !guarded) {
    spdlog::error("reload refused: {}", guarded.error());
    next.done(tl::unexpected(guarded.error()));
    return;
  }
  reloads_.push_back(std::move(next));
  look();
  advance();
}

void Daemon::store(Reload reload) {
  if (auto done = guard(kernel::merge(guarded_, guard_of(*reload.policy))); !done) {
    spdlog::error("reload refused: {}", done.error());
    reload.done(tl::unexpected(done.error()));
    return;
  }
  policy_ = reload.policy;
  serve_metrics();
  look();
  spdlog::info("reloaded; the dataplane gets it when it is connected");
  reload.done(api::Reloaded{.applied = false, .committed = {}, .warnings = policy_->warnings});
}

// --- Metrics.

auto Daemon::listen_for_metrics(const policy::Policy& policy)
    -> tl::expected<std::unique_ptr<metrics::Server>, std::string> {
  const auto endpoint = metrics_endpoint(policy);
  if (!endpoint) {
    return std::unique_ptr<metrics::Server>();
  }
  const auto& file = policy.config.file;
  auto server = metrics::Server::listen(
      io_, *endpoint, [this](metrics::Format format, std::function<void(std::string)> done) {
        api::ask_live(*this, [this, format, done = std::move(done)](const api::Live& live) {
          done(metrics::exposition({.policy = *policy_,
                                    .mirror = netlink_->mirror(),
                                    .live = live,
                                    .started_unix_ms = started_unix_ms_,
                                    .reloads = reload_counts_},
                                   format));
        });
      });
  if (!server) {
    return tl::unexpected(
        fmt::format("{}:{}: {}", file.string(), policy.config.metrics->line, server.error()));
  }
  return server;
}

bool Daemon::serves_metrics_of(const policy::Policy& policy) const {
  const auto serves = metrics_ ? std::optional(metrics_->endpoint()) : std::nullopt;
  return serves == metrics_endpoint(policy);
}

void Daemon::serve_metrics() {
  metrics_retry_.cancel();
  if (serves_metrics_of(*policy_)) {
    return;
  }
  auto server = listen_for_metrics(*policy_);
  if (server) {
    metrics_ = std::move(*server);
    metrics_pause_ = first_retry;
    return;
  }
  spdlog::error("{}; trying again in {} s", server.error(), metrics_pause_.count());
  metrics_retry_.expires_after(metrics_pause_);
  metrics_pause_ = std::min(2 * metrics_pause_, last_retry);
  metrics_retry_.async_wait([this](const boost::system::error_code& error) {
    if (!error) {
      serve_metrics();
    }
  });
}

void Daemon::ask_dataplane(api::Request request,
                           std::function<void(tl::expected<std::vector<api::Reply>, std::string>)> done) {
  dataplane_.ask(std::move(request), std::move(done));
}

// What nftables refuses is not remembered: a name that it will never take must not stand in the way of the
// others.
auto Daemon::guard(kernel::Guard wanted) -> tl::expected<void, std::string> {
  auto done = kernel::guard_on(wanted);
  if (done) {
    guarded_ = std::move(wanted);
  } else {
    guard_later();
  }
  return done;
}

// To what the policy says and the interfaces of those that wait.
auto Daemon::narrow_guard() -> tl::expected<void, std::string> {
  auto wanted = guard_of(*policy_);
  for (const auto& reload : reloads_) {
    wanted = kernel::merge(wanted, netdevs_of(*reload.policy));
  }
  std::vector<std::string> leaving;
  std::ranges::set_difference(guarded_.netdevs, wanted.netdevs, std::back_inserter(leaving));
  keep(leaving);
  return guard(std::move(wanted));
}

// Looks again whether the guard is as it should be.
void Daemon::guard_later() {
  guard_retry_.expires_after(guard_retry_after);
  guard_retry_.async_wait([this](const boost::system::error_code& error) {
    if (!error) {
      on_nftables_changed();
    }
  });
}

}  // namespace sekisho
