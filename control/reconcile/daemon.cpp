// SPDX-License-Identifier: BSD-3-Clause
// The process: what happens becomes an event.
#include "control/reconcile/daemon.hpp"

#include <spdlog/spdlog.h>

#include <csignal>
#include <utility>

#include "control/guard/truth.hpp"
#include "control/metrics/site.hpp"
#include "control/netlink/bus.hpp"
#include "control/netlink/interface_addresses.hpp"
#include "control/policy/learned.hpp"
#include "control/reconcile/timing.hpp"
#include "control/serve/ask_live.hpp"
#include "control/serve/drain_member.hpp"
#include "control/serve/may_advertise.hpp"

namespace sekisho::reconcile {

namespace {

constexpr std::string_view draining_since = "draining_since_unix_ms";
constexpr std::string_view drained_members = "drained_members";

auto metrics_listen(const config::Config& config) -> std::vector<config::Listen> {
  return config.metrics ? std::vector{*config.metrics} : std::vector<config::Listen>{};
}

// Whether more than a member's state may be another. Probes are answered many times a second, and time passes.
bool may_be_news(const Event& event) {
  return !std::holds_alternative<event::Probed>(event) && !std::holds_alternative<event::Turn>(event) &&
         !std::holds_alternative<event::Tick>(event);
}

auto health_listen(const config::Config& config) -> std::vector<config::Listen> {
  return config.health ? config.health->listen : std::vector<config::Listen>{};
}

auto page_listen(const config::Config& config) -> std::vector<config::Listen> {
  return config.web ? std::vector{config.web->listen} : std::vector<config::Listen>{};
}

// None of a policy that has no page: one that cannot be served where it is to be is served where it was.
auto page_names(const config::Config& config) -> std::vector<std::string> {
  return config.web ? config.web->hosts : std::vector<std::string>{};
}

}  // namespace

Daemon::Daemon(boost::asio::io_context& io, Options options)
    : options_(std::move(options)),
      started_unix_ms_(now_unix_ms()),
      io_(io),
      signals_(io, SIGHUP, SIGTERM, SIGINT),
      timer_(io),
      history_(
          io, options_.config, options_.state_directory,
          [this] { reload({.force = true, .policy = 0}, [](const auto&) {}); },
          [this](std::string_view outcome, std::string sentence) {
            spdlog::warn("{}", sentence);
            observer_.tell(serve::trial_event(outcome, std::move(sentence)));
          }),
      reader_(io, history_.configuration()),
      file_watch_(io),
      dataplane_(io, options_.dataplane_socket,
                 {.connected = [this] { tell(event::Connected{}); },
                  .disconnected = [this](const std::string& reason) { tell(event::Disconnected{reason}); },
                  .event = [this](const ipc::Event& event) { tell(event::DataplaneSaid{event}); }}),
      prober_(io,
              [this](std::uint32_t member, const reach::Sample& sample) {
                tell(event::Probed{member, sample});
              }),
      kept_(options_.state_directory),
      advertising_(io,
                   [this](bool is_announced, const advertise::Status& status) {
                     observer_.tell(serve::advertise_event(is_announced, status));
                   }),
      observer_(io, *this,
                [this](const std::vector<serve::Problem>& problems) {
                  advertising_.judge(serve::why_not_advertised(*policy(), view().members, problems));
                }),
      health_check_(io, *this),
      page_(io, *this, started_unix_ms_, [this] { return page_names(policy()->config); }),
      endpoints_(
          io, {{.site = metrics::site([this](metrics::Format format, std::function<void(std::string)> done) {
                  collect_metrics(format, std::move(done));
                }),
                .wanted = metrics_listen},
               {.site = health_check_.site(), .wanted = health_listen},
               {.site = page_.site(), .wanted = page_listen}}),
      learner_(io, [this](learn::Learner::Snapshot learned) { tell(event::Learned{std::move(learned)}); }) {
  reload_counts_.last_success_unix_ms = started_unix_ms_;
}

auto Daemon::start(boost::asio::io_context& io, Options options)
    -> tl::expected<std::unique_ptr<Daemon>, std::string> {
  auto daemon = std::unique_ptr<Daemon>(new Daemon(io, std::move(options)));
  if (auto opened = daemon->open(); !opened) {
    return tl::unexpected(std::move(opened.error()));
  }
  return daemon;
}

// A second sekisho-control is refused before anything is touched. The guard before the dataplane: no port starts without it.
auto Daemon::open() -> tl::expected<void, std::string> {
  if (!options_.take_over) {
    auto taken = OnlyOne::take(io_, options_.dataplane_socket, patience_at_start);
    if (!taken) {
      return tl::unexpected(std::move(taken.error()));
    }
    only_one_ = std::move(*taken);
  }
  history_.open();
  auto reading = first_reading();
  if (!reading.policy) {
    return tl::unexpected(reading.policy.error().to_string());
  }
  const auto policy = *reading.policy;
  if (reading.hook) {
    spdlog::error("{}", reading.hook->to_string());
  }
  learner_.learn(learn::settings_of(policy->config));
  auto server = serve::Server::listen(
      io_, options_.socket, *this,
      {.access = {.user = {},
                  .group = options_.socket_group.empty() ? options_.admin_group : options_.socket_group},
       .admin_group = options_.admin_group});
  if (!server) {
    return tl::unexpected(std::move(server.error()));
  }
  server_ = std::move(*server);
  read_kept_state();
  for (const auto& warning : policy->warnings) {
    spdlog::warn("{}", warning);
  }
  auto netlink = netlink::Netlink::open(io_, [this] { tell(event::KernelChanged{}); });
  if (!netlink) {
    return tl::unexpected(std::move(netlink.error()));
  }
  netlink_ = std::move(*netlink);
  reader_.ask_addresses([this] { return netlink::addresses_by(mirror()); });
  auto keeper = guard::Keeper::open(io_, *netlink_);
  if (!keeper) {
    return tl::unexpected(std::move(keeper.error()));
  }
  guard_ = std::move(*keeper);
  // The dataplane has what an earlier control learned: nothing is told before it is known what of it is left.
  auto learned = first_learned(*policy);
  if (!learned) {
    return tl::unexpected(std::move(learned.error()));
  }
  reconciler_ =
      std::make_unique<Reconciler>(Reconciler::Start{.policy = policy,
                                                     .sources = std::move(reading.sources),
                                                     .let_out = guard_->found(),
                                                     .take_over = options_.take_over,
                                                     .dataplane_socket = options_.dataplane_socket,
                                                     .drained = serve::drained_of(kept_.get(drained_members)),
                                                     .learned = std::move(*learned)});
  tell(event::Started{});
  if (!failure_.empty()) {
    return tl::unexpected(failure_);
  }
  observer_.start();
  wait_for_signal();
  spdlog::info("{} read: {} ports, {} zones; connecting to the dataplane at {}", options_.config.string(),
               policy->config.ports.size(), policy->zones.size(), options_.dataplane_socket.string());
  dataplane_.start();
  return {};
}

// A policy of the history that cannot be read keeps nothing down: an appliance that does not start is an outage.
auto Daemon::first_reading() -> Reading {
  reader_.use(history_.source_at_start());
  auto reading = reader_.read_now();
  if (!reading.policy && reader_.source().policy) {
    spdlog::error("policy {} of the history cannot be started, the configuration is: {}",
                  *reader_.source().policy, reading.policy.error().to_string());
    reader_.use(history_.configuration());
    reading = reader_.read_now();
  }
  // A copy that takes too long keeps nothing down either; a file of the configuration that does, does.
  if (!reading.policy && history_.holds(reading.policy.error().file)) {
    auto source = reader_.source();
    source.copy.reset();
    reader_.use(std::move(source));
    reading = reader_.read_now();
    reading.sources.not_copied = "at the start there was no time for a copy";
  }
  if (reading.policy) {
    history_.ran(reading.sources);
  }
  return reading;
}

auto Daemon::first_learned(const policy::Policy& policy)
    -> tl::expected<learn::Learner::Snapshot, std::string> {
  constexpr std::chrono::seconds patience{10};
  return policy.config.learns() ? learner_.wait_for_first(patience) : learn::Learner::Snapshot{};
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
    reload({}, [](const auto&) {});  // what became of it stands in the log
    wait_for_signal();
  });
}

// --- Events in, one after the other.

void Daemon::tell(Event event) {
  events_.push_back(std::move(event));
  if (std::exchange(is_handling_, true)) {
    return;
  }
  bool is_news = false;
  while (!events_.empty()) {
    auto next = std::move(events_.front());
    events_.pop_front();
    is_news |= may_be_news(next);
    for (auto& action : reconciler_->handle(std::move(next), world())) {
      std::visit([this](auto& what) { carry_out(std::move(what)); }, action);
    }
  }
  is_handling_ = false;
  observer_.look(is_news);
  wake();
}

void Daemon::wake() {
  const auto next = reconciler_->wakes_at();
  if (next == wakes_at_) {
    return;
  }
  wakes_at_ = next;
  timer_.cancel();
  if (!next) {
    return;
  }
  timer_.expires_at(*next);
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) {
      wakes_at_.reset();
      tell(event::Tick{});
    }
  });
}

auto Daemon::world() const -> World {
  static const std::function<bool(const std::string&)> has_device = netlink::has_device;
  return {.now = std::chrono::steady_clock::now(), .mirror = mirror(), .has_device = has_device};
}

// --- What operators ask.

void Daemon::read(Source source, std::function<void(const Reading&)> done) {
  reader_.read(std::move(source), [this, done = std::move(done)](const Reading& reading) {
    done(reading.policy ? refused_if_useless(reading) : reading);
  });
}

// What cannot be served or run is refused where it is new; at the start it keeps nothing down.
auto Daemon::refused_if_useless(Reading reading) -> Reading {
  if (auto could = endpoints_.could_serve(**reading.policy); !could) {
    reading.policy = tl::unexpected(std::move(could.error()));
  } else if (reading.hook) {
    reading.policy = tl::unexpected(*reading.hook);
  }
  return reading;
}

void Daemon::reload(const serve::ReloadOrder& order, ReloadDone done) {
  auto began =
      (order.confirm_within ? reconciler_->may_try() : tl::expected<void, std::string>{}).and_then([&] {
        return history_.begin(order, [this] { return running(); });
      });
  if (!began) {
    spdlog::error("reload refused, the policy stays as it was: {}", began.error());
    done(tl::unexpected(std::move(began.error())));
    return;
  }
  const auto ticket = ++last_ticket_;
  waiting_[ticket] = [this, order,
                      done = std::move(done)](tl::expected<serve::Reloaded, std::string> result) {
    history_.end(order, result);
    reload_counts_.last_succeeded = result.has_value();
    ++(result ? reload_counts_.succeeded : reload_counts_.failed);
    reload_counts_.refusal = result ? std::string() : result.error();
    if (result) {
      reload_counts_.last_success_unix_ms = now_unix_ms();
    }
    observer_.tell(serve::reload_event(result));
    observer_.look(true);
    done(result);
  };
  // What ran is put back whatever that breaks: its operator may not be able to say so.
  if (auto* before = std::get_if<Reading>(&*began)) {
    tell(event::Reload{ticket, true, std::move(*before)});
    return;
  }
  read(std::move(std::get<Source>(*began)),
       [this, ticket, force = order.force,
        is_trial = order.confirm_within.has_value()](const Reading& reading) {
         tell(event::Reload{ticket, force, reading, is_trial});
       });
}

auto Daemon::running() const -> Reading {
  return {.policy = policy::plain(policy()), .sources = sources()};
}

void Daemon::plan(std::function<void(const serve::Planned&)> done) {
  auto source = history_.configuration();
  source.copy.reset();
  read(std::move(source), [this, done = std::move(done)](const Reading& reading) {
    done({.plan = reconciler_->plan(reading, world()), .files = reading.files});
  });
}

void Daemon::rehearse(const serve::Rehearsal& what, PlanDone done) {
  auto source = history_.rehearsed(what);
  if (!source) {
    done(tl::unexpected(std::move(source.error())));
    return;
  }
  const auto ticket = ++last_ticket_;
  rehearsing_[ticket] = std::move(done);
  read(std::move(*source), [this, ticket](const Reading& reading) {
    tell(event::Rehearse{ticket, reading});
  });
}

void Daemon::change_routes(serve::RouteRequest request, ReloadDone done) {
  const auto ticket = ++last_ticket_;
  waiting_[ticket] = std::move(done);
  tell(event::ChangeRoutes{ticket, std::move(request)});
}

void Daemon::ask_dataplane(ipc::Request request,
                           std::function<void(tl::expected<std::vector<ipc::Reply>, std::string>)> done) {
  dataplane_.ask(std::move(request), std::move(done));
}

// What cannot be read keeps nothing down.
void Daemon::read_kept_state() {
  auto kept = KeptState::open(options_.state_directory);
  if (!kept) {
    spdlog::error("{}: what was said before the restart is forgotten", kept.error());
    return;
  }
  kept_ = std::move(*kept);
  advertising_.drain(draining_since_unix_ms().has_value());
  if (draining_since_unix_ms()) {
    spdlog::warn("the appliance is being drained since before the restart: `sekisho undrain` ends that");
  }
}

auto Daemon::drain(bool is_wanted) -> tl::expected<void, std::string> {
  if (is_wanted == draining_since_unix_ms().has_value()) {
    return {};
  }
  if (auto kept = kept_.set(draining_since, is_wanted ? serve::Json(now_unix_ms()) : serve::Json(nullptr));
      !kept) {
    return kept;
  }
  auto event = serve::drain_event(is_wanted);
  spdlog::info("{}", event.sentence);
  observer_.tell(std::move(event));
  advertising_.drain(is_wanted);
  return {};
}

// On the disk first: what is answered holds over a restart.
auto Daemon::drain_member(const serve::DrainRequest& request) -> tl::expected<bool, std::string> {
  auto then = serve::apply(*policy(), view(), request);
  if (!then) {
    return tl::unexpected(std::move(then.error()));
  }
  if (*then == view().drained) {
    return false;
  }
  if (auto kept = kept_.set(drained_members, serve::drained_json(*then)); !kept) {
    return tl::unexpected(std::move(kept.error()));
  }
  auto event = serve::drain_event(request);
  spdlog::info("{}", event.sentence);
  tell(event::DrainMembers{std::move(*then)});
  observer_.tell(std::move(event));
  return true;
}

void Daemon::carry_out(action::KeepDrained&& action) {
  if (const auto kept = kept_.set(drained_members, serve::drained_json(action.drained)); !kept) {
    spdlog::error("{}", kept.error());
  }
}

auto Daemon::draining_since_unix_ms() const -> std::optional<std::uint64_t> {
  const auto since = kept_.get(draining_since);
  return since.is_number_unsigned() ? std::optional(since.get<std::uint64_t>()) : std::nullopt;
}

serve::Circumstances Daemon::circumstances() const {
  auto result = reconciler_->circumstances();
  result.guard = guard::problems(guard::ask(policy()->config, mirror()));
  result.stuck_workers = observer_.stuck_workers();
  result.reload_refused = reload_counts_.refusal;
  result.changed_files = file_watch_.changes();
  result.not_served = endpoints_.not_served();
  result.bgp = advertising_.status();
  result.history = history_.show();
  return result;
}

void Daemon::collect_metrics(metrics::Format format, std::function<void(std::string)> done) {
  serve::ask_live(*this, [this, format, done = std::move(done)](const serve::Live& live) {
    const auto runs = policy();
    const metrics::Guarding guarding{.truth = guard::ask(runs->config, mirror()),
                                     .restored = guard_->restored(),
                                     .dropped = guard_->ingress() == nullptr
                                                    ? std::map<std::string, std::uint64_t>{}
                                                    : guard_->ingress()->drops()};
    done(metrics::exposition({.policy = *runs,
                              .mirror = mirror(),
                              .live = live,
                              .started_unix_ms = started_unix_ms_,
                              .reloads = reload_counts_,
                              .problems = serve::problems_now(*this, live),
                              .is_draining = draining_since_unix_ms().has_value(),
                              .guarding = &guarding,
                              .members = view().members,
                              .bgp = bgp()},
                             format));
  });
}

}  // namespace sekisho::reconcile
