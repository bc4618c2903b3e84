#include "control/api/server.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <chrono>
#include <map>
#include <stdexcept>
#include <utility>

#include "control/api/frame.hpp"
#include "control/api/request.hpp"
#include "dataplane/api/socket.hpp"

namespace sekisho::api {
namespace {

namespace asio = boost::asio;
using Protocol = asio::local::stream_protocol;
using ErrorCode = boost::system::error_code;

// A handful of operators and scripts; not more, so that nobody takes all of the daemon's file descriptors.
constexpr std::size_t max_clients = 64;

}  // namespace

// One client: a request, its answer (in pages), the next request. Lives as long as something is under way for
// it.
class CliSession : public std::enable_shared_from_this<CliSession> {
 public:
  CliSession(Protocol::socket socket, Backend& backend, std::uint64_t started_unix_ms)
      : socket_(std::move(socket)), backend_(backend), started_unix_ms_(started_unix_ms) {}

  ~CliSession() { close(); }
  CliSession(const CliSession&) = delete;
  CliSession& operator=(const CliSession&) = delete;

  std::function<void()> closed;

  void read_header() {
    asio::async_read(socket_, asio::buffer(header_),
                     [self = shared_from_this()](ErrorCode error, std::size_t) {
                       const auto length = frame_length(self->header_);
                       if (error || length == 0 || length > max_request) {
                         self->close();
                       } else {
                         self->read_body(length);
                       }
                     });
  }

  void close() {
    ErrorCode ignored;
    socket_.close(ignored);
    if (auto once = std::exchange(closed, nullptr)) {
      once();
    }
  }

 private:
  void read_body(std::uint32_t length) {
    body_.clear();
    // Grows with what arrives: a length alone costs nothing.
    asio::async_read(socket_, asio::dynamic_buffer(body_), asio::transfer_exactly(length),
                     [self = shared_from_this()](ErrorCode error, std::size_t) {
                       if (error) {
                         self->close();
                       } else {
                         self->answer();
                       }
                     });
  }

  void answer() {
    const auto request = Json::parse(body_, nullptr, false);
    if (!request.is_object()) {  // no client of ours: what it sends next cannot be trusted either
      close();
      return;
    }
    handle(request, backend_, started_unix_ms_, [self = shared_from_this()](Answer answer) {
      if (self->socket_.is_open()) {
        self->send(std::move(answer));
      }
    });
  }

  void send(Answer answer) {
    // A file's name may hold any byte; JSON may not.
    auto text = answer.reply.dump(-1, ' ', false, Json::error_handler_t::replace);
    if (text.size() > max_reply) {
      text = R"({"ok":false,"error":"the answer does not fit a reply"})";
      answer.next = nullptr;
    }
    reply_ = frame(text);
    asio::async_write(
        socket_, asio::buffer(reply_),
        [self = shared_from_this(), next = std::move(answer.next)](ErrorCode error, std::size_t) {
          if (error) {
            self->close();
          } else if (next) {
            self->send(next());
          } else {
            self->read_header();
          }
        });
  }

  Protocol::socket socket_;
  Backend& backend_;
  std::uint64_t started_unix_ms_;
  FrameHeader header_{};
  std::string body_;
  std::string reply_;
};

struct Server::Impl {
  Impl(asio::io_context& context, std::filesystem::path path, Backend& asked, const Access& access)
      : acceptor(api::listen(context, path, access)), pause(context), file(std::move(path)), backend(asked) {
    struct stat status {};
    if (::lstat(file.c_str(), &status) == 0) {
      inode = status.st_ino;
    }
  }

  void accept() {
    acceptor.async_accept([this](ErrorCode error, Protocol::socket socket) {
      if (error == asio::error::operation_aborted) {
        return;
      }
      if (error) {  // no file descriptors, most likely: trying again at once would burn a core
        spdlog::warn("a client of {} could not be accepted: {}", file.string(), error.message());
        pause.expires_after(std::chrono::milliseconds{100});
        pause.async_wait([this](ErrorCode stopped) {
          if (!stopped) {
            accept();
          }
        });
        return;
      }
      if (sessions.size() < max_clients) {
        auto session = std::make_shared<CliSession>(std::move(socket), backend, started_unix_ms);
        session->closed = [this, raw = session.get()] { sessions.erase(raw); };
        sessions.emplace(session.get(), session);
        session->read_header();
      }
      accept();
    });
  }

  ~Impl() {
    for (auto& [raw, weak] : std::exchange(sessions, {})) {
      if (const auto session = weak.lock()) {
        session->closed = nullptr;
        session->close();
      }
    }
    struct stat status {};  // what stands there now may be a successor's
    if (::lstat(file.c_str(), &status) == 0 && status.st_ino == inode) {
      ::unlink(file.c_str());
    }
  }

  Protocol::acceptor acceptor;
  asio::steady_timer pause;
  std::filesystem::path file;
  Backend& backend;
  ino_t inode = 0;
  std::uint64_t started_unix_ms =
      static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(
                                     std::chrono::system_clock::now().time_since_epoch())
                                     .count());
  std::map<CliSession*, std::weak_ptr<CliSession>> sessions;
};

Server::Server(std::unique_ptr<Impl> impl) noexcept : impl_(std::move(impl)) {}
Server::~Server() = default;

auto Server::listen(asio::io_context& io, const std::filesystem::path& socket, Backend& backend,
                    const Access& access) -> tl::expected<std::unique_ptr<Server>, std::string> {
  try {
    auto impl = std::make_unique<Impl>(io, socket, backend, access);
    impl->accept();
    return std::unique_ptr<Server>{new Server{std::move(impl)}};
  } catch (const std::runtime_error& error) {
    return tl::unexpected{std::string{error.what()}};
  }
}

}  // namespace sekisho::api
