// SPDX-License-Identifier: BSD-3-Clause
#include "control/sync/dataplane_client.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <chrono>
#include <cstdint>
#include <deque>
#include <utility>

#include "common/ipc/frame.hpp"

namespace sekisho::sync {
namespace {

using boost::system::error_code;

constexpr std::chrono::milliseconds retry{100};

}  // namespace

struct DataplaneClient::Impl : std::enable_shared_from_this<DataplaneClient::Impl> {
  using Clock = std::chrono::steady_clock;
  enum class Kind { greeting, question, transaction };

  Impl(boost::asio::io_context& io, std::filesystem::path path, Handlers on, Patience waits)
      : socket(io), timer(io), watch(io), path(std::move(path)), handlers(std::move(on)), patience(waits) {}

  // --- The connection. Each has a number: what an older one's operations still report does not count.

  void connect() {
    const auto number = ++connection;
    socket = boost::asio::local::stream_protocol::socket(socket.get_executor());
    socket.async_connect(path.string(), [self = weak_from_this(), number](const error_code& error) {
      const auto impl = self.lock();
      if (!impl || number != impl->connection) {
        return;
      }
      if (error) {
        impl->connect_later();
        return;
      }
      impl->heard = Clock::now();
      impl->look();
      impl->read_header();
      impl->subscribe([number, weak = impl->weak_from_this()](const auto& answer) {
        const auto greeted = weak.lock();
        if (!greeted || number != greeted->connection) {
          return;
        }
        if (!answer) {
          greeted->drop(answer.error());
          return;
        }
        greeted->is_connected = true;
        greeted->handlers.connected();
      });
    });
  }

  void subscribe(Answer answer) {
    ipc::Request request;
    request.mutable_subscribe();
    send(std::move(request), Kind::greeting, std::move(answer));
  }

  // --- Silence. What is asked first is answered first, so the first that waits tells for all.

  [[nodiscard]] auto silence() const -> std::chrono::milliseconds {
    return pending.empty() ? std::chrono::milliseconds{0}
                           : std::chrono::duration_cast<std::chrono::milliseconds>(
                                 Clock::now() - std::max(pending.front().since, heard));
  }

  [[nodiscard]] bool hangs() const { return silence() >= patience.silence; }

  // The greeting waits for its answer from the moment at which there is a connection.
  [[nodiscard]] bool is_there() const noexcept { return is_connected || !pending.empty(); }

  [[nodiscard]] std::string problem() const {
    if (hangs()) {
      return fmt::format(
          "the dataplane is connected and has not answered for {} s: it hangs, or takes long over a change",
          std::chrono::duration_cast<std::chrono::seconds>(silence()).count());
    }
    return is_connected ? ""
           : is_there() ? "the dataplane is connected and has not answered yet"
                        : "the dataplane is not connected: is sekisho-dataplane running?";
  }

  // Runs while there is a connection.
  void look() {
    watch.expires_after(std::min(patience.silence, patience.heartbeat) / 8);
    watch.async_wait([self = weak_from_this(), number = connection](const error_code& error) {
      const auto impl = self.lock();
      if (!impl || error || number != impl->connection) {
        return;
      }
      impl->judge();
      if (number == impl->connection) {
        impl->look();
      }
    });
  }

  void judge() {
    const auto now = Clock::now();
    const auto silent = silence();
    if (silent >= patience.silence && !std::exchange(is_silent, true)) {
      spdlog::warn("{}", problem());
    }
    // Steps of a transaction wait for each other: there is one at most.
    if (silent >= patience.transaction &&
        std::ranges::any_of(pending, [](const Pending& each) { return each.kind == Kind::transaction; })) {
      drop(fmt::format("it has not answered for {} s",
                       std::chrono::duration_cast<std::chrono::seconds>(silent).count()));
      return;
    }
    for (std::size_t i = 0; i < pending.size(); ++i) {
      auto& each = pending[i];
      if (each.kind == Kind::question && each.answer && now - each.since >= patience.question) {
        // Its answer may yet come and has a place in the order.
        std::exchange(each.answer, nullptr)(tl::unexpected(problem()));
      }
    }
    if (is_connected && pending.empty() && now - heard >= patience.heartbeat) {
      subscribe([](const auto&) {});
    }
  }

  void hear() {
    if (std::exchange(is_silent, false)) {
      spdlog::info("the dataplane answers again");
    }
    heard = Clock::now();
  }

  void connect_later() {
    timer.expires_after(retry);
    timer.async_wait([self = weak_from_this()](const error_code& error) {
      if (const auto impl = self.lock(); impl && !error && impl->running) {
        impl->connect();
      }
    });
  }

  // Answers what is still open, so that nobody waits for ever; then tries again.
  void drop(const std::string& reason) {
    ++connection;
    error_code ignored;
    socket.close(ignored);
    outgoing.clear();
    const bool was_connected = std::exchange(is_connected, false);
    is_silent = false;
    watch.cancel();
    for (auto& each : std::exchange(pending, {})) {
      if (each.answer && each.kind != Kind::greeting) {
        each.answer(tl::unexpected("the connection to the dataplane was lost: " + reason));
      }
    }
    if (was_connected && handlers.disconnected) {
      handlers.disconnected(reason);
    }
    if (running) {
      connect_later();
    }
  }

  // --- Reading.

  void read_header() {
    boost::asio::async_read(
        socket, boost::asio::buffer(header),
        [self = weak_from_this(), number = connection](const error_code& error, std::size_t) {
          const auto impl = self.lock();
          if (!impl || number != impl->connection) {
            return;
          }
          if (error) {
            impl->drop(error.message());
            return;
          }
          impl->read_body();
        });
  }

  void read_body() {
    const std::size_t size = ipc::frame_length(header);
    if (size > ipc::max_frame) {
      drop(fmt::format("it sent a frame of {} bytes; at most {} are allowed", size, ipc::max_frame));
      return;
    }
    body.resize(size);
    boost::asio::async_read(
        socket, boost::asio::buffer(body),
        [self = weak_from_this(), number = connection](const error_code& error, std::size_t) {
          const auto impl = self.lock();
          if (!impl || number != impl->connection) {
            return;
          }
          if (error) {
            impl->drop(error.message());
            return;
          }
          impl->handle_body();
          if (number == impl->connection) {
            impl->read_header();
          }
        });
  }

  void handle_body() {
    hear();
    ipc::Message message;
    if (!message.ParseFromString(body)) {
      drop("it sent a frame that is not a message");
    } else if (message.has_event()) {
      handlers.event(message.event());
    } else if (message.has_reply()) {
      handle_reply(std::move(*message.mutable_reply()));
    }
  }

  void handle_reply(ipc::Reply reply) {
    if (pending.empty() || pending.front().id != reply.id()) {
      drop("it answered a request that was not asked");
      return;
    }
    if (reply.has_error()) {
      auto first = std::move(pending.front());
      pending.pop_front();
      if (first.answer) {
        first.answer(tl::unexpected(reply.error().reason()));
      }
      return;
    }
    const bool more = reply.has_routes() && reply.routes().more();
    pending.front().replies.push_back(std::move(reply));
    if (!more) {
      auto first = std::move(pending.front());
      pending.pop_front();
      if (first.answer) {
        first.answer(std::move(first.replies));
      }
    }
  }

  // --- Writing.

  void ask(ipc::Request request, Kind kind, Answer answer) {
    if (!is_connected || (kind == Kind::question && hangs())) {
      answer(tl::unexpected(problem()));
      return;
    }
    send(std::move(request), kind, std::move(answer));
  }

  void send(ipc::Request request, Kind kind, Answer answer) {
    request.set_id(++last_id);
    const std::size_t size = request.ByteSizeLong();
    if (size > ipc::max_frame) {
      answer(tl::unexpected(
          fmt::format("a request of {} bytes is too large; at most {} are allowed", size, ipc::max_frame)));
      return;
    }
    pending.push_back({request.id(), kind, Clock::now(), std::move(answer), {}});
    outgoing.push_back(ipc::begin_frame(size));
    request.AppendToString(&outgoing.back());
    if (outgoing.size() == 1) {
      write();
    }
  }

  void write() {
    // The frame stays where it is until it is written: in this handler, whatever becomes of the queue.
    auto bytes = std::make_shared<std::string>(std::move(outgoing.front()));
    boost::asio::async_write(
        socket, boost::asio::buffer(*bytes),
        [self = weak_from_this(), number = connection, bytes](const error_code& error, std::size_t) {
          const auto impl = self.lock();
          if (!impl || number != impl->connection) {
            return;
          }
          if (error) {
            impl->drop(error.message());
            return;
          }
          impl->outgoing.pop_front();
          if (!impl->outgoing.empty()) {
            impl->write();
          }
        });
  }

  struct Pending {
    std::uint64_t id;
    Kind kind;
    Clock::time_point since;
    Answer answer;  // null: given already
    std::vector<ipc::Reply> replies;
  };

  boost::asio::local::stream_protocol::socket socket;
  boost::asio::steady_timer timer;
  boost::asio::steady_timer watch;
  std::filesystem::path path;
  Handlers handlers;
  Patience patience;
  Clock::time_point heard;
  bool is_silent = false;
  bool running = false;
  bool is_connected = false;
  std::uint64_t connection = 0;
  std::uint64_t last_id = 0;
  std::deque<Pending> pending;
  std::deque<std::string> outgoing;  // the first is being written
  ipc::FrameHeader header{};
  std::string body;
};

namespace {

// One request at a time: after a refused change the rest must not be sent, or Commit would apply a part.
struct Transaction : std::enable_shared_from_this<Transaction> {
  using Ask = std::function<void(ipc::Request, DataplaneClient::Answer)>;

  Transaction(Ask how, std::vector<ipc::Change> what, DataplaneClient::Answer to)
      : ask(std::move(how)), changes(std::move(what)), answer(std::move(to)) {}

  void begin(bool full) {
    ipc::Request request;
    request.mutable_begin()->set_full(full);
    ask(std::move(request), [self = shared_from_this()](auto replies) {
      if (!replies) {
        self->answer(tl::unexpected(std::move(replies.error())));
        return;
      }
      self->next();
    });
  }

  void next() {
    ipc::Request request;
    if (sent == changes.size()) {
      request.mutable_commit();
      ask(std::move(request), std::move(answer));
      return;
    }
    *request.mutable_change() = std::move(changes[sent++]);
    ask(std::move(request), [self = shared_from_this()](auto replies) {
      if (replies) {
        self->next();
        return;
      }
      ipc::Request abort;
      abort.mutable_abort();
      self->ask(std::move(abort), [self, reason = std::move(replies.error())](const auto&) {
        self->answer(tl::unexpected(reason));
      });
    });
  }

  Ask ask;
  std::vector<ipc::Change> changes;
  DataplaneClient::Answer answer;
  std::size_t sent = 0;
};

}  // namespace

DataplaneClient::DataplaneClient(boost::asio::io_context& io, std::filesystem::path socket, Handlers handlers,
                                 Patience patience)
    : impl_(std::make_shared<Impl>(io, std::move(socket), std::move(handlers), patience)) {}

DataplaneClient::~DataplaneClient() {
  // Whoever waits for an answer may be gone already.
  impl_->pending.clear();
  impl_->handlers.disconnected = nullptr;
  stop();
}

void DataplaneClient::start() {
  if (!std::exchange(impl_->running, true)) {
    impl_->connect();
  }
}

void DataplaneClient::stop() {
  impl_->running = false;
  impl_->timer.cancel();
  impl_->drop("control stops");
}

bool DataplaneClient::connected() const noexcept {
  return impl_->is_connected;
}

bool DataplaneClient::is_there() const noexcept {
  return impl_->is_there();
}

bool DataplaneClient::hangs() const {
  return impl_->hangs();
}

std::string DataplaneClient::problem() const {
  return impl_->problem();
}

void DataplaneClient::ask(ipc::Request request, Answer answer) {
  impl_->ask(std::move(request), Impl::Kind::question, std::move(answer));
}

void DataplaneClient::transact(bool full, std::vector<ipc::Change> changes, Answer answer) {
  auto ask = [impl = std::weak_ptr(impl_)](ipc::Request request, Answer to) {
    if (const auto self = impl.lock()) {
      self->ask(std::move(request), Impl::Kind::transaction, std::move(to));
    }
  };
  std::make_shared<Transaction>(std::move(ask), std::move(changes), std::move(answer))->begin(full);
}

}  // namespace sekisho::sync
