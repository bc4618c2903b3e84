#include "control/reconcile/daemon.hpp"

#include <spdlog/spdlog.h>

#include <csignal>
#include <utility>

#include "control/netlink/interface_addresses.hpp"
#include "control/reconcile/timing.hpp"

namespace sekisho::reconcile {

Daemon::Daemon(boost::asio::io_context& io, Options options, std::unique_ptr<PolicyReader> reader,
               Reading reading)
    : options_(std::move(options)),
      reader_(std::move(reader)),
      policy_(std::move(*reading.policy)),
      sources_(std::move(reading.sources)),
      io_(io),
      signals_(io, SIGHUP, SIGTERM, SIGINT),
      retry_(io),
      metrics_retry_(io),
      patience_(io),
      dataplane_(io, options_.dataplane_socket,
                 {.connected = [this] { on_connected(); },
                  .disconnected = [this](const std::string& reason) { on_disconnected(reason); },
                  .event = [this](const ipc::Event& event) { on_event(event); }}),
      command_(io, dataplane_, options_.take_over,
               {.got =
                    [this] {
                      if (has_taken_over_) {
                        advance();
                      } else {
                        take_over();
                      }
                    },
                .never_got =
                    [this](const std::string& why) {
                      failure_ = why + ": stop it first, or start this one with --take-over";
                      io_.stop();
                    }}),
      started_unix_ms_(now_unix_ms()),
      file_watch_(io) {
  reload_counts_.last_success_unix_ms = started_unix_ms_;
  look_beside();
}

auto Daemon::start(boost::asio::io_context& io, Options options)
    -> tl::expected<std::unique_ptr<Daemon>, std::string> {
  auto reader = std::make_unique<PolicyReader>(io, options.config);
  auto reading = reader->read_now();
  if (!reading.policy) {
    return tl::unexpected(reading.policy.error().to_string());
  }
  auto daemon =
      std::unique_ptr<Daemon>(new Daemon(io, std::move(options), std::move(reader), std::move(reading)));
  if (auto opened = daemon->open(); !opened) {
    return tl::unexpected(std::move(opened.error()));
  }
  return daemon;
}

// The API's socket first: a second sekisho-control is refused before it touches anything. The guard before
// the dataplane: no port starts without it.
auto Daemon::open() -> tl::expected<void, std::string> {
  auto server = serve::Server::listen(
      io_, options_.socket, *this,
      {.access = {.user = {},
                  .group = options_.socket_group.empty() ? options_.admin_group : options_.socket_group},
       .admin_group = options_.admin_group});
  if (!server) {
    return tl::unexpected(std::move(server.error()));
  }
  server_ = std::move(*server);
  for (const auto& warning : policy_->warnings) {
    spdlog::warn("{}", warning);
  }

  auto netlink = netlink::Netlink::open(io_, [this] { on_kernel_changed(); });
  if (!netlink) {
    return tl::unexpected(std::move(netlink.error()));
  }
  netlink_ = std::move(*netlink);
  reader_->ask_addresses([this] { return netlink::addresses_by(mirror()); });
  auto keeper = guard::Keeper::open(io_, *netlink_);
  if (!keeper) {
    return tl::unexpected(std::move(keeper.error()));
  }
  guard_ = std::move(*keeper);
  let_out_ = guard_->found();
  if (auto guarded = guard(); !guarded) {
    return guarded;
  }
  look();
  serve_metrics();
  wait_for_signal();
  spdlog::info("{} read: {} ports, {} zones; connecting to the dataplane at {}", options_.config.string(),
               policy_->config.ports.size(), policy_->zones.size(), options_.dataplane_socket.string());
  file_watch_.follow(sources_.files);
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
    reload(false, [](const auto&) {});  // what became of it stands in the log
    wait_for_signal();
  });
}

void Daemon::ask_dataplane(ipc::Request request,
                           std::function<void(tl::expected<std::vector<ipc::Reply>, std::string>)> done) {
  dataplane_.ask(std::move(request), std::move(done));
}

}  // namespace sekisho::reconcile
