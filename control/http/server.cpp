// SPDX-License-Identifier: BSD-3-Clause
#include "control/http/server.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <netinet/in.h>
#include <spdlog/spdlog.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/http/span_body.hpp>
#include <cerrno>
#include <chrono>
#include <ctime>
#include <iterator>
#include <map>
#include <optional>
#include <string_view>
#include <utility>

#include "common/base/text.hpp"
#include "common/base/version.hpp"
#include "common/ipc/door.hpp"

namespace sekisho::http {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace protocol = beast::http;
using asio::ip::tcp;
using ErrorCode = boost::system::error_code;

// A few clients, each with a connection or two.
constexpr std::size_t max_connections = 32;
constexpr std::uint32_t max_header = 8 * 1024;
constexpr std::chrono::seconds longest_transfer{10};  // of a request, of an answer, and of silence in between
constexpr std::chrono::seconds longest_linger{2};
constexpr std::chrono::seconds long_write{1};  // while others want in

// RFC 9110, 6.6.1: "An origin server with a clock [...] MUST generate a Date header field in all 2xx (Successful), 3xx (Redirection),
// and 4xx (Client Error) responses". By it a browser knows this appliance's time.
std::string date_now() {
  return fmt::format("{:%a, %d %b %Y %H:%M:%S GMT}", fmt::gmtime(std::time(nullptr)));
}

// RFC 9112, 3.2.2: "a server MUST accept the absolute-form in requests", and "MUST ignore the received Host header field (if any) and
// instead use the host information of the request-target".
auto parts_of(std::string_view target) -> std::pair<std::optional<std::string>, std::string> {
  constexpr std::string_view scheme = "http://";
  if (!base::equal_without_case(target.substr(0, scheme.size()), scheme)) {
    return {std::nullopt, std::string{target}};
  }
  target.remove_prefix(scheme.size());
  const auto end = std::min(target.find_first_of("/?"), target.size());
  const auto rest = target.substr(end);
  return {std::string{target.substr(0, end)}, (rest.starts_with('/') ? "" : "/") + std::string{rest}};
}

}  // namespace

// One connection: a request, its answer, the next request. Lives as long as something is under way for it.
class Client : public std::enable_shared_from_this<Client> {
 public:
  Client(tcp::socket socket, std::shared_ptr<const Site> site)
      : stream_(std::move(socket)), patience_(stream_.get_executor()), site_(std::move(site)) {
    ErrorCode ignored;
    from_ = stream_.socket().remote_endpoint(ignored).address();
    to_ = stream_.socket().local_endpoint(ignored).address();
  }

  ~Client() { close(); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  std::function<void()> closed;

  // Whether it may be closed for another. Nothing is being done for it: it sends its request, or lingers; or it has long been slow to
  // read its answer.
  [[nodiscard]] bool may_go() const noexcept {
    return is_waiting_ || (is_writing_ && std::chrono::steady_clock::now() - since_ > long_write);
  }
  [[nodiscard]] const asio::ip::address& from() const noexcept { return from_; }
  [[nodiscard]] std::chrono::steady_clock::time_point since() const noexcept { return since_; }

  void read() {
    is_waiting_ = true;
    since_ = std::chrono::steady_clock::now();
    parser_.emplace();
    parser_->header_limit(max_header);
    stream_.expires_after(longest_transfer);
    protocol::async_read(
        stream_, buffer_, *parser_, [self = shared_from_this()](ErrorCode error, std::size_t) {
          if (!error) {
            self->answer();
          } else if (error == protocol::error::header_limit) {
            self->refuse(protocol::status::request_header_fields_too_large, "the request is too long");
          } else if (error != protocol::error::end_of_stream &&
                     error.category() ==
                         protocol::make_error_code(protocol::error::end_of_stream).category()) {
            self->refuse(protocol::status::bad_request, "the request is not understood");
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
    const auto [authority, target] = parts_of({request.target().data(), request.target().size()});
    const auto end = std::min(target.find('?'), target.size());
    const std::string path{target.substr(0, end)};
    Request asked{.accept = std::string{request[protocol::field::accept]},
                  .path = path,
                  .query = std::string{target.substr(std::min(end + 1, target.size()))},
                  .hosts = {},
                  .fetch = {.site = std::string{request["Sec-Fetch-Site"]},
                            .mode = std::string{request["Sec-Fetch-Mode"]},
                            .destination = std::string{request["Sec-Fetch-Dest"]},
                            .purpose = std::string{request["Sec-Purpose"]}},
                  .to = to_};
    const auto [first, last] = request.equal_range(protocol::field::host);
    std::transform(first, last, std::back_inserter(asked.hosts),
                   [](const auto& header) { return std::string{header.value()}; });
    if (authority && asked.hosts.size() == 1) {
      asked.hosts.front() = *authority;
    }
    if (auto refused = site_->refuse ? site_->refuse(asked) : std::nullopt) {
      send(make(std::move(*refused), request.keep_alive()));
    } else if (std::ranges::find(site_->paths, path) == site_->paths.end()) {
      send(make(protocol::status::not_found,
                fmt::format("there is {} here and nothing else\n", fmt::join(site_->paths, " and "))));
    } else if (request.method() != protocol::verb::get && request.method() != protocol::verb::head) {
      // RFC 9110, 15.5.6: "The origin server MUST generate an Allow header field in a 405 response".
      auto response = make(protocol::status::method_not_allowed, "GET or HEAD\n");
      response.message.set(protocol::field::allow, "GET, HEAD");
      send(std::move(response));
    } else {
      ask(asked);
    }
  }

  void ask(const Request& request) {
    asking_ = true;
    patience_.expires_after(site_->patience);
    patience_.async_wait([self = shared_from_this()](ErrorCode stopped) {
      if (!stopped && std::exchange(self->asking_, false)) {
        self->send(self->make(self->site_->too_late, false));
      }
    });
    site_->answer(request, [self = shared_from_this()](Response response) {
      if (!std::exchange(self->asking_, false)) {
        return;  // too late
      }
      self->patience_.cancel();
      self->send(self->make(std::move(response), self->parser_->get().keep_alive()));
    });
  }

  using Message = protocol::response<protocol::span_body<const char>>;
  struct Answer {
    Message message;
    std::shared_ptr<const std::string> body;  // that it points to
  };

  Answer make(Response from, bool keep_alive) const {
    const auto& request = parser_->get();
    Message message{static_cast<protocol::status>(from.status), request.version()};
    message.set(protocol::field::server, fmt::format("sekisho-control/{}", base::version()));
    message.set(protocol::field::date, date_now());
    message.set(protocol::field::content_type, from.content_type);
    for (const auto* headers : {&std::as_const(site_->headers), &std::as_const(from.headers)}) {
      for (const auto& [name, value] : *headers) {
        message.set(name, value);
      }
    }
    message.keep_alive(keep_alive);
    auto body =
        from.shared ? std::move(from.shared) : std::make_shared<const std::string>(std::move(from.body));
    message.content_length(body->size());
    // RFC 9110, 9.3.2: HEAD is identical to GET "except that the server MUST NOT send content in the response".
    if (request.method() != protocol::verb::head) {
      message.body() = {body->data(), body->size()};
    }
    return {.message = std::move(message), .body = std::move(body)};
  }

  Answer make(protocol::status status, std::string body) const {
    return make({.status = static_cast<unsigned>(status), .body = std::move(body)},
                parser_->get().keep_alive());
  }

  // After what was not understood, or took too long, nothing that follows on the connection can be trusted.
  void refuse(protocol::status status, std::string_view why) {
    auto response = make(status, fmt::format("{}\n", why));
    response.message.keep_alive(false);
    send(std::move(response));
  }

  void send(Answer answer) {
    is_writing_ = true;
    since_ = std::chrono::steady_clock::now();
    body_ = std::move(answer.body);
    response_.emplace(std::move(answer.message));
    stream_.expires_after(longest_transfer);
    protocol::async_write(stream_, *response_, [self = shared_from_this()](ErrorCode error, std::size_t) {
      self->is_writing_ = false;
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
  std::shared_ptr<const Site> site_;
  beast::flat_buffer buffer_{max_header + 1024};
  std::optional<protocol::request_parser<protocol::empty_body>> parser_;
  std::optional<Message> response_;
  std::shared_ptr<const std::string> body_;  // its
  bool asking_ = false;
  bool is_waiting_ = true;
  bool is_writing_ = false;
  asio::ip::address from_;
  asio::ip::address to_;
  std::chrono::steady_clock::time_point since_ = std::chrono::steady_clock::now();
  std::array<char, 4096> rest_{};
};

struct Server::Impl {
  Impl(tcp::acceptor acceptor, Site serves)
      : site(std::make_shared<const Site>(std::move(serves))),
        door(std::move(acceptor), "clients of " + site->name,
             {.welcome = [this](tcp::socket socket) { welcome(std::move(socket)); },
              .make_room = [this] { return make_room(); }}) {}

  ~Impl() {
    for (auto& [raw, weak] : std::exchange(clients, {})) {
      if (const auto client = weak.lock()) {
        client->closed = nullptr;
        client->close();
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
    if (clients.size() >= max_connections && !make_room()) {
      return;
    }
    auto client = std::make_shared<Client>(std::move(socket), site);
    client->closed = [this, raw = client.get()] { clients.erase(raw); };
    clients.emplace(client.get(), client);
    client->read();
  }

  // Whoever opens many connections, or sends or reads slowly, pushes out his own first: of the address with the most that may go, the
  // one that waits longest.
  bool make_room() {
    std::map<asio::ip::address, std::size_t> waiting;
    for (const auto& [raw, weak] : clients) {
      waiting[raw->from()] += raw->may_go() ? 1 : 0;
    }
    Client* first = nullptr;
    for (const auto& [raw, weak] : clients) {
      const auto order = [&](const Client& each) {
        return std::pair(-std::ptrdiff_t(waiting[each.from()]), each.since());
      };
      if (raw->may_go() && (first == nullptr || order(*raw) < order(*first))) {
        first = raw;
      }
    }
    if (first != nullptr) {
      first->shared_from_this()->close();
    }
    return first != nullptr;
  }

  std::shared_ptr<const Site> site;
  std::map<Client*, std::weak_ptr<Client>> clients;
  ipc::Door<tcp> door;
};

Server::Server(std::unique_ptr<Impl> impl) noexcept : impl_(std::move(impl)) {}
Server::~Server() = default;

auto Server::listen(asio::io_context& io, const tcp::endpoint& endpoint, Site site)
    -> tl::expected<std::unique_ptr<Server>, std::string> {
  const auto name = site.name;
  try {
    return std::unique_ptr<Server>{
        new Server{std::make_unique<Impl>(Impl::open(io, endpoint), std::move(site))}};
  } catch (const boost::system::system_error& error) {
    return tl::unexpected{fmt::format("{} cannot be served on {}:{}: {}", name,
                                      endpoint.address().to_string(), endpoint.port(),
                                      error.code().message())};
  }
}

tcp::endpoint Server::endpoint() const {
  return impl_->door.acceptor().local_endpoint();
}

}  // namespace sekisho::http
