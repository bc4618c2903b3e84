// SPDX-License-Identifier: BSD-3-Clause
#include "control/metrics/server.hpp"

#include <fmt/format.h>
#include <netinet/in.h>
#include <spdlog/spdlog.h>
#include <sys/socket.h>

#include <array>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <cerrno>
#include <chrono>
#include <map>
#include <optional>
#include <utility>

#include "common/ipc/door.hpp"
#include "control/metrics/accept.hpp"

namespace sekisho::metrics {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;
using ErrorCode = boost::system::error_code;

// A few scrapers, each with a connection or two. Whoever opens many, sends slowly or asks much gets no more of the daemon
// than that, and keeps nobody else out.
constexpr std::size_t max_connections = 32;
constexpr std::uint32_t max_header = 8 * 1024;
constexpr std::chrono::seconds longest_transfer{10};  // of a request, of an answer, and of silence in between
constexpr std::chrono::seconds longest_linger{2};
// Prometheus itself gives up after ten.
constexpr std::chrono::seconds longest_collect{5};

}  // namespace

// One connection: a request, its answer, the next request. Lives as long as something is under way for it.
class Scraper : public std::enable_shared_from_this<Scraper> {
 public:
  Scraper(tcp::socket socket, Server::Collect collect)
      : stream_(std::move(socket)), patience_(stream_.get_executor()), collect_(std::move(collect)) {
    ErrorCode ignored;
    from_ = stream_.socket().remote_endpoint(ignored).address();
  }

  ~Scraper() { close(); }
  Scraper(const Scraper&) = delete;
  Scraper& operator=(const Scraper&) = delete;

  std::function<void()> closed;

  // Nothing is being done for it: it sends its request, or lingers.
  [[nodiscard]] bool is_waiting() const noexcept { return is_waiting_; }
  [[nodiscard]] const asio::ip::address& from() const noexcept { return from_; }
  [[nodiscard]] std::chrono::steady_clock::time_point since() const noexcept { return since_; }

  void read() {
    is_waiting_ = true;
    since_ = std::chrono::steady_clock::now();
    parser_.emplace();
    parser_->header_limit(max_header);
    stream_.expires_after(longest_transfer);
    http::async_read(stream_, buffer_, *parser_, [self = shared_from_this()](ErrorCode error, std::size_t) {
      if (!error) {
        self->answer();
      } else if (error == http::error::header_limit) {
        self->refuse(http::status::request_header_fields_too_large, "the request is too long");
      } else if (error != http::error::end_of_stream &&
                 error.category() == http::make_error_code(http::error::end_of_stream).category()) {
        self->refuse(http::status::bad_request, "the request is not understood");
      } else {
        self->close();
      }
    });
  }

  void close() {
    ErrorCode ignored;
    stream_.socket().shutdown(tcp::socket::shutdown_both, ignored);
    stream_.close();
    patience_.cancel();
    if (auto once = std::exchange(closed, nullptr)) {
      once();
    }
  }

 private:
  void answer() {
    is_waiting_ = false;
    const auto& request = parser_->get();
    const auto target = request.target();
    if (target.substr(0, target.find('?')) != "/metrics") {
      send(make(http::status::not_found, "there is /metrics here and nothing else\n"));
    } else if (request.method() != http::verb::get && request.method() != http::verb::head) {
      // RFC 9110, 15.5.6: "The origin server MUST generate an Allow header field in a 405 response".
      auto response = make(http::status::method_not_allowed, "GET or HEAD\n");
      response.set(http::field::allow, "GET, HEAD");
      send(std::move(response));
    } else {
      const auto accept = request[http::field::accept];
      collect(negotiate({accept.data(), accept.size()}));
    }
  }

  void collect(Format format) {
    collecting_ = true;
    patience_.expires_after(longest_collect);
    patience_.async_wait([self = shared_from_this()](ErrorCode stopped) {
      if (!stopped && std::exchange(self->collecting_, false)) {
        self->refuse(http::status::service_unavailable, "the dataplane does not answer");
      }
    });
    collect_(format, [self = shared_from_this(), format](std::string text) {
      if (!std::exchange(self->collecting_, false)) {
        return;  // too late
      }
      self->patience_.cancel();
      auto response = self->make(http::status::ok, std::move(text));
      const auto type = content_type(format);
      response.set(http::field::content_type, {type.data(), type.size()});
      self->send(std::move(response));
    });
  }

  using Response = http::response<http::string_body>;

  Response make(http::status status, std::string body) const {
    const auto& request = parser_->get();
    Response response{status, request.version()};
    response.set(http::field::server, "sekisho-control/" SEKISHO_VERSION);
    response.set(http::field::content_type, "text/plain; charset=utf-8");
    response.keep_alive(request.keep_alive());
    response.content_length(body.size());
    // RFC 9110, 9.3.2: HEAD is identical to GET "except that the server MUST NOT send content in the response".
    if (request.method() != http::verb::head) {
      response.body() = std::move(body);
    }
    return response;
  }

  // After what was not understood, or took too long, nothing that follows on the connection can be trusted.
  void refuse(http::status status, std::string_view why) {
    auto response = make(status, fmt::format("{}\n", why));
    response.keep_alive(false);
    send(std::move(response));
  }

  void send(Response response) {
    response_.emplace(std::move(response));
    stream_.expires_after(longest_transfer);
    http::async_write(stream_, *response_, [self = shared_from_this()](ErrorCode error, std::size_t) {
      if (error) {
        self->close();
      } else if (self->response_->need_eof()) {
        self->linger();
      } else {
        self->read();
      }
    });
  }

  // RFC 9112, 9.6: a server that closes while data of the client is under way makes the client's TCP forget the answer; so
  // it "performs a half-close" and reads on until the client closes, too, for a while.
  void linger() {
    is_waiting_ = true;
    ErrorCode ignored;
    stream_.socket().shutdown(tcp::socket::shutdown_send, ignored);
    stream_.expires_after(longest_linger);
    discard();
  }

  void discard() {
    stream_.async_read_some(asio::buffer(rest_), [self = shared_from_this()](ErrorCode error, std::size_t) {
      if (error) {
        self->close();
      } else {
        self->discard();
      }
    });
  }

  beast::tcp_stream stream_;
  asio::steady_timer patience_;
  Server::Collect collect_;
  beast::flat_buffer buffer_{max_header + 1024};
  std::optional<http::request_parser<http::empty_body>> parser_;
  std::optional<Response> response_;
  bool collecting_ = false;
  bool is_waiting_ = true;
  asio::ip::address from_;
  std::chrono::steady_clock::time_point since_ = std::chrono::steady_clock::now();
  std::array<char, 4096> rest_{};
};

struct Server::Impl {
  Impl(tcp::acceptor acceptor, Collect collects)
      : collect(std::move(collects)),
        door(std::move(acceptor), "scrapers of the metrics",
             {.welcome = [this](tcp::socket socket) { welcome(std::move(socket)); },
              .make_room = [this] { return make_room(); }}) {}

  ~Impl() {
    for (auto& [raw, weak] : std::exchange(scrapers, {})) {
      if (const auto scraper = weak.lock()) {
        scraper->closed = nullptr;
        scraper->close();
      }
    }
  }

  // ip(7) of IP_FREEBIND: "allows binding to an IP address that is nonlocal or does not (yet) exist": that of a companion
  // that the dataplane is about to make, or one that DHCP brings later.
  static tcp::acceptor open(asio::io_context& io, const tcp::endpoint& endpoint) {
    tcp::acceptor acceptor(io);
    acceptor.open(endpoint.protocol());
    acceptor.set_option(tcp::acceptor::reuse_address(true));
    const int on = 1;
    if (setsockopt(acceptor.native_handle(), IPPROTO_IP, IP_FREEBIND, &on, sizeof on) != 0) {
      throw boost::system::system_error(errno, boost::system::system_category());
    }
    acceptor.bind(endpoint);
    acceptor.listen();
    return acceptor;
  }

  void welcome(tcp::socket socket) {
    if (scrapers.size() >= max_connections && !make_room()) {
      return;
    }
    auto scraper = std::make_shared<Scraper>(std::move(socket), collect);
    scraper->closed = [this, raw = scraper.get()] { scrapers.erase(raw); };
    scrapers.emplace(scraper.get(), scraper);
    scraper->read();
  }

  // Whoever opens many connections, or sends slowly, pushes out his own first: of the address with the most connections that wait for
  // a request, the one that waits longest.
  bool make_room() {
    std::map<asio::ip::address, std::size_t> waiting;
    for (const auto& [raw, weak] : scrapers) {
      waiting[raw->from()] += raw->is_waiting() ? 1 : 0;
    }
    Scraper* first = nullptr;
    for (const auto& [raw, weak] : scrapers) {
      const auto order = [&](const Scraper& each) {
        return std::pair(-std::ptrdiff_t(waiting[each.from()]), each.since());
      };
      if (raw->is_waiting() && (first == nullptr || order(*raw) < order(*first))) {
        first = raw;
      }
    }
    if (first != nullptr) {
      first->shared_from_this()->close();
    }
    return first != nullptr;
  }

  Collect collect;
  std::map<Scraper*, std::weak_ptr<Scraper>> scrapers;
  ipc::Door<tcp> door;
};

Server::Server(std::unique_ptr<Impl> impl) noexcept : impl_(std::move(impl)) {}
Server::~Server() = default;

auto Server::listen(asio::io_context& io, const tcp::endpoint& endpoint, Collect collect)
    -> tl::expected<std::unique_ptr<Server>, std::string> {
  try {
    return std::unique_ptr<Server>{
        new Server{std::make_unique<Impl>(Impl::open(io, endpoint), std::move(collect))}};
  } catch (const boost::system::system_error& error) {
    return tl::unexpected{fmt::format("metrics cannot be served on {}:{}: {}", endpoint.address().to_string(),
                                      endpoint.port(), error.code().message())};
  }
}

tcp::endpoint Server::endpoint() const {
  return impl_->door.acceptor().local_endpoint();
}

}  // namespace sekisho::metrics
