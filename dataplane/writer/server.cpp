// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/writer/server.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <new>
#include <string>
#include <utility>

#include "common/base/memory_reserve.hpp"
#include "common/ipc/clients.hpp"
#include "dataplane/writer/session.hpp"

namespace sekisho::writer {
namespace {

namespace asio = boost::asio;
using asio::local::stream_protocol;

constexpr std::size_t longest_reason = 500;  // what a client sent may be quoted in it
constexpr auto tick = std::chrono::seconds{1};
// What the first packet to a neighbour waits before control hears of it. Looking is 1 KiB a worker to read.
constexpr auto between_looks = std::chrono::milliseconds{50};
constexpr auto between_captures = std::chrono::milliseconds{10};
constexpr unsigned captures_at_once = 8;
constexpr std::size_t bytes_at_once = std::size_t{256} << 10;  // of frames, in a reply

}  // namespace

struct Server::Impl : Service {
  Impl(asio::io_context& io, const std::filesystem::path& socket, Writer& served, const ipc::Access& access)
      : writer{served},
        clients{io,
                socket,
                access,
                {.meet =
                     [this](stream_protocol::socket client) {
                       return std::make_shared<Session>(std::move(client), *this);
                     },
                 .refusal = "the dataplane serves as many clients as it can"}},
        ticks{io},
        looks{io},
        captures{io} {
    wait();
    look();
  }

  // While what it tells still lives.
  ~Impl() override { clients.close(); }

  // What is done by the clock is done again.
  template <class Work>
  static void with_memory(Work work) {
    try {
      work();
    } catch (const std::bad_alloc&) {
      spdlog::error("there is no memory to look after ports and clients: trying again");
    }
  }

  void wait() {
    ticks.expires_after(tick);
    ticks.async_wait([this](boost::system::error_code aborted) {
      if (aborted) {
        return;
      }
      wait();
      with_memory([this] {
        writer.tick();
        publish_events();
        for (const auto& session : clients.all()) {
          session->tick();
        }
      });
    });
  }

  void look() {
    looks.expires_after(between_looks);
    looks.async_wait([this](boost::system::error_code aborted) {
      if (aborted) {
        return;
      }
      look();
      with_memory([this] {
        writer.tell_wanted(std::chrono::steady_clock::now());
        writer.keep_steered();
        publish_events();
      });
    });
  }

  void publish_events() {
    for (const auto& event : writer.take_events()) {
      if (event.has_port() && !event.port().error().empty()) {
        spdlog::error("port {}: {}", event.port().name(), event.port().error());
      } else if (event.has_port()) {
        spdlog::info("port {} runs: {}, MTU {}", event.port().name(), event.port().device(),
                     event.port().mtu());
      }
      for (const auto& session : clients.all()) {
        session->notify(event);
      }
    }
  }

  void disconnected(Session& session) override {
    if (owner == &session) {
      spdlog::info("a transaction is dropped: its client has gone");
      end_transaction();
    }
    if (commander == &session) {
      commander = nullptr;
    }
    if (watcher == &session) {
      end_capture();
    }
    clients.forget(session);
  }

  void end_transaction() {
    owner = nullptr;
    transaction.reset();
  }

  void handle(Session& session, const ipc::Request& request) override {
    ipc::Reply reply;
    reply.set_id(request.id());
    if (auto done = answer_with_memory(session, request, reply); !done) {
      return session.refuse(request.id(), done.error().substr(0, longest_reason));
    }
    if (reply.body_case() != ipc::Reply::BODY_NOT_SET) {
      session.reply(std::move(reply));
    }
    publish_events();
    if (const auto event = std::exchange(news, std::nullopt)) {
      for (const auto& other : clients.all()) {
        if (other.get() != &session) {
          other->notify(*event);
        }
      }
    }
  }

  // A change that finds no memory is refused like any other, and ends its transaction.
  auto answer_with_memory(Session& session, const ipc::Request& request, ipc::Reply& reply)
      -> tl::expected<void, std::string> {
    const bool changes = request.has_begin() || request.has_change() || request.has_commit();
    const auto refuse = [&] {
      if (changes && owner == &session) {
        end_transaction();
      }
      return tl::unexpected(std::string{base::no_memory});
    };
    try {
      if (changes && !base::restore_memory_reserve()) {
        return refuse();
      }
      return answer(session, request, reply);
    } catch (const std::bad_alloc&) {
      return refuse();
    }
  }

  auto answer(Session& session, const ipc::Request& request, ipc::Reply& reply)
      -> tl::expected<void, std::string> {
    switch (request.body_case()) {
      case ipc::Request::kClaim:
        return claim(session, request.claim(), reply);
      case ipc::Request::kBegin:
        return begin(session, request.begin(), reply);
      case ipc::Request::kChange:
        return change(session, request.change(), reply);
      case ipc::Request::kCommit:
        return commit(session, reply);
      case ipc::Request::kAbort:
        if (owner != &session) {
          return no_transaction();
        }
        end_transaction();
        reply.mutable_done();
        return {};
      case ipc::Request::kGetState:
        *reply.mutable_state() = writer.state();
        reply.mutable_state()->set_commanded_by(
            commander == nullptr ? 0 : static_cast<std::uint32_t>(commander->process()));
        return {};
      case ipc::Request::kGetStatistics:
        *reply.mutable_statistics() = writer.statistics();
        return {};
      case ipc::Request::kGetLastDrops:
        *reply.mutable_last_drops() = writer.last_drops();
        return {};
      case ipc::Request::kCapture:
        return capture(session, request, reply);
      case ipc::Request::kGetRoutes: {
        auto routes = writer.routes(request.get_routes().zone());
        if (!routes) {
          return tl::unexpected(routes.error());
        }
        session.stream(request.id(), std::move(*routes));
        return {};
      }
      case ipc::Request::kLookup: {
        auto decision = writer.lookup(request.lookup());
        if (!decision) {
          return tl::unexpected(decision.error());
        }
        *reply.mutable_decision() = std::move(*decision);
        return {};
      }
      case ipc::Request::kSubscribe:
        session.subscribe();
        reply.mutable_done();
        return {};
      case ipc::Request::BODY_NOT_SET:
        break;
    }
    return tl::unexpected(std::string{"this dataplane does not know the request"});
  }

  auto capture(Session& session, const ipc::Request& request, ipc::Reply& reply)
      -> tl::expected<void, std::string> {
    if (watcher != nullptr) {
      return tl::unexpected(fmt::format("process {} captures already", watcher->process()));
    }
    if (auto started = writer.start_capture(request.capture()); !started) {
      return started;
    }
    spdlog::info("process {} captures packets", session.process());
    watcher = &session;
    session.watches();
    capture_id = request.id();
    *reply.mutable_captured() = writer.capture()->read(bytes_at_once);
    tell_captured();
    return {};
  }

  // A client that is behind gets nothing: what it does not take in time is lost where workers copy it, and counted there.
  void tell_captured() {
    captures.expires_after(between_captures);
    captures.async_wait([this](boost::system::error_code aborted) {
      if (aborted || watcher == nullptr) {
        return;
      }
      tell_captured();
      with_memory([this] {
        for (unsigned round = 0; round < captures_at_once && watcher != nullptr && !watcher->is_behind();
             ++round) {
          ipc::Reply reply;
          *reply.mutable_captured() = writer.capture()->read(bytes_at_once);
          if (reply.captured().packets().empty() && reply.captured().lost() == told_lost) {
            return;
          }
          told_lost = reply.captured().lost();
          reply.set_id(capture_id);
          watcher->reply(std::move(reply));
        }
      });
    });
  }

  void end_capture() {
    spdlog::info("the capture ends");
    watcher = nullptr;
    told_lost = 0;
    captures.cancel();
    writer.end_capture();
  }

  static auto no_transaction() -> tl::expected<void, std::string> {
    return tl::unexpected(std::string{"no transaction is open: begin one first (a refused change ends it)"});
  }

  // Of one that has died, another that is started in its place must not be told that it lives.
  void forget_dead_commander() {
    if (commander != nullptr && commander->has_gone()) {
      commander->close();
    }
  }

  auto may_change(Session& session) -> tl::expected<void, std::string> {
    if (commander ==
        &session) {  // also one whose client has gone: what it asked before is still to be read, and then its end
      return {};
    }
    forget_dead_commander();
    if (commander == nullptr) {
      return {};
    }
    return tl::unexpected(fmt::format("process {} commands this dataplane", commander->process()));
  }

  auto claim(Session& session, const ipc::Claim& claim, ipc::Reply& reply)
      -> tl::expected<void, std::string> {
    if (auto allowed = may_change(session); !allowed) {
      if (!claim.take_over()) {
        return allowed;
      }
      spdlog::warn("process {} takes the command from process {}", session.process(), commander->process());
      if (owner == commander) {
        end_transaction();
      }
      ipc::Event event;
      event.mutable_superseded()->set_process(static_cast<std::uint32_t>(session.process()));
      std::exchange(commander, &session)->notify(event);
    }
    commander = &session;
    session.begins_to_change();
    reply.mutable_done();
    return {};
  }

  auto begin(Session& session, const ipc::Begin& begin, ipc::Reply& reply)
      -> tl::expected<void, std::string> {
    if (auto allowed = may_change(session); !allowed) {
      return allowed;
    }
    if (owner != nullptr && owner != &session) {
      return tl::unexpected(std::string{"another client has a transaction open"});
    }
    owner = &session;
    session.begins_to_change();
    transaction.emplace(writer.begin(begin.full()));
    reply.mutable_done();
    return {};
  }

  auto change(Session& session, const ipc::Change& change, ipc::Reply& reply)
      -> tl::expected<void, std::string> {
    if (owner != &session) {
      return no_transaction();
    }
    // Half of what was asked for is not to be committed.
    if (auto done = transaction->add(change); !done) {
      end_transaction();
      return done;
    }
    reply.mutable_done();
    return {};
  }

  auto commit(Session& session, ipc::Reply& reply) -> tl::expected<void, std::string> {
    if (owner != &session) {
      return no_transaction();
    }
    auto finished = std::move(*transaction);
    end_transaction();
    const auto start = std::chrono::steady_clock::now();
    auto committed = writer.commit(std::move(finished));
    if (!committed) {
      spdlog::warn("a transaction is refused: {}", committed.error());
      return tl::unexpected(committed.error());
    }
    spdlog::info(
        "transaction {}: {} routes added, {} changed, {} removed, {} ports, {} zones, {} next hops and {} "
        "adjacencies changed, in {} ms",
        committed->transaction(), committed->routes_added(), committed->routes_changed(),
        committed->routes_removed(), committed->ports_changed(), committed->zones_changed(),
        committed->next_hops_changed(), committed->adjacencies_changed(),
        std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - start)
            .count());
    auto& changed = *news.emplace().mutable_changed();
    changed.set_transaction(committed->transaction());
    changed.set_process(static_cast<std::uint32_t>(session.process()));
    *reply.mutable_committed() = std::move(*committed);
    return {};
  }

  Writer& writer;
  ipc::Clients<Session> clients;
  asio::steady_timer ticks;
  asio::steady_timer looks;
  asio::steady_timer captures;
  Session* owner = nullptr;        // of the open transaction
  Session* commander = nullptr;    // holds the claim
  Session* watcher = nullptr;      // captures
  std::uint64_t capture_id = 0;    // of its request
  std::uint64_t told_lost = 0;     // of its copies
  std::optional<ipc::Event> news;  // for all but the client whose request is answered
  std::optional<Transaction> transaction;
};

Server::Server(asio::io_context& io, std::filesystem::path socket, Writer& writer, const ipc::Access& access)
    : impl_{std::make_unique<Impl>(io, std::move(socket), writer, access)} {}

Server::~Server() = default;

}  // namespace sekisho::writer
