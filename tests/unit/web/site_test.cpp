// SPDX-License-Identifier: BSD-3-Clause
// The page over real connections: who gets it, and with which headers; and who gets nothing.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "control/web/site.hpp"
#include "tests/unit/serve/fake_backend.hpp"

namespace sekisho::web {
namespace {

using boost::asio::ip::tcp;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

// A dataplane that never answers, once it hangs.
class HangingBackend : public serve::FakeBackend {
 public:
  void ask_dataplane(ipc::Request request,
                     std::function<void(tl::expected<std::vector<ipc::Reply>, std::string>)> done) override {
    if (hangs) {
      held.push_back(std::move(done));
    } else {
      FakeBackend::ask_dataplane(std::move(request), std::move(done));
    }
  }

  std::atomic<bool> hangs = false;
  std::vector<std::function<void(tl::expected<std::vector<ipc::Reply>, std::string>)>> held;
};

class ServedPage : public testing::Test {
 protected:
  void SetUp() override {
    auto listening = http::Server::listen(io, {boost::asio::ip::address_v4::loopback(), 0}, page.site());
    ASSERT_TRUE(listening) << listening.error();
    server = std::move(*listening);
    endpoint = server->endpoint();
    thread = std::thread{[this] { io.run(); }};
  }
  void TearDown() override {
    io.stop();
    thread.join();
    server.reset();
  }

  tcp::socket connect() {
    tcp::socket socket{clients};
    socket.connect(endpoint);
    return socket;
  }
  std::string ask(const std::string& request) {
    auto socket = connect();
    boost::system::error_code ignored;  // it may refuse before it has read all
    boost::asio::write(socket, boost::asio::buffer(request), ignored);
    std::string answer;
    boost::asio::read(socket, boost::asio::dynamic_buffer(answer), ignored);
    return answer;
  }
  std::string get(const std::string& head, const std::string& host = "localhost") {
    return ask(head + "\r\nHost: " + host + "\r\nConnection: close\r\n\r\n");
  }

  boost::asio::io_context io;
  boost::asio::io_context clients;
  HangingBackend backend;
  Page page{io, backend, 0, [] { return std::vector<std::string>{"nva1.example.net"}; }};
  std::unique_ptr<http::Server> server;
  tcp::endpoint endpoint;
  std::thread thread;
};

TEST_F(ServedPage, ThePageItself) {
  const auto answer = get("GET / HTTP/1.1");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(answer, HasSubstr("\r\nContent-Type: text/html; charset=utf-8\r\n"));
  EXPECT_THAT(answer, testing::EndsWith("</html>\n"));
  EXPECT_LE(answer.size() - answer.find("\r\n\r\n") - 4, 50'000U);
  EXPECT_THAT(get("HEAD / HTTP/1.1"), testing::EndsWith("\r\n\r\n"));
}

TEST_F(ServedPage, EveryAnswerIsGuarded) {
  for (const auto* head : {"GET / HTTP/1.1", "GET /api/v1/state HTTP/1.1", "GET /nothing HTTP/1.1",
                           "POST / HTTP/1.1", "GET /api/v1/explain HTTP/1.1"}) {
    const auto answer = get(head);
    EXPECT_THAT(answer, HasSubstr("\r\nContent-Security-Policy: default-src 'none'; script-src 'sha256-"))
        << head;
    EXPECT_THAT(answer, HasSubstr("frame-ancestors 'none'")) << head;
    EXPECT_THAT(answer, Not(HasSubstr("unsafe"))) << head;
    EXPECT_THAT(answer, HasSubstr("\r\nCache-Control: no-store\r\n")) << head;
    EXPECT_THAT(answer, HasSubstr("\r\nX-Content-Type-Options: nosniff\r\n")) << head;
    EXPECT_THAT(answer, HasSubstr("\r\nDate: ")) << head;
    EXPECT_THAT(answer, Not(HasSubstr("Access-Control-Allow-Origin"))) << head;
  }
}

TEST_F(ServedPage, NobodyElsesName) {
  for (const auto* path :
       {"/", "/api/v1/state", "/api/v1/events", "/api/v1/explain?from=1.1.1.1&to=2.2.2.2"}) {
    const auto get_path = std::string("GET ") + path + " HTTP/1.1";
    EXPECT_THAT(get(get_path, "evil.example"), StartsWith("HTTP/1.1 421 ")) << path;
    EXPECT_THAT(get(get_path, "nva1.example.net:8088"), StartsWith("HTTP/1.1 200 ")) << path;
    EXPECT_THAT(ask(get_path + "\r\nConnection: close\r\n\r\n"), StartsWith("HTTP/1.1 400 ")) << path;
    EXPECT_THAT(get(get_path + "\r\nHost: localhost"), StartsWith("HTTP/1.1 400 ")) << path;
  }
}

TEST_F(ServedPage, NobodyElsesNameIsToldWhatThereIs) {
  EXPECT_THAT(get("GET /nothing HTTP/1.1", "evil.example"), StartsWith("HTTP/1.1 421 "));
  EXPECT_THAT(get("POST / HTTP/1.1", "evil.example"), StartsWith("HTTP/1.1 421 "));
}

TEST_F(ServedPage, AnAbsoluteTargetNamesTheHost) {
  EXPECT_THAT(get("GET http://localhost:8088/ HTTP/1.1", "evil.example"), StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(get("GET HTTP://localhost HTTP/1.1"), StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(get("GET http://localhost/api/v1/state?all=1 HTTP/1.1"), StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(get("GET http://evil.example/ HTTP/1.1"), StartsWith("HTTP/1.1 421 "));
}

TEST_F(ServedPage, APageFromElsewhereMayNotAsk) {
  const std::string from = " HTTP/1.1\r\nSec-Fetch-Site: ";
  EXPECT_THAT(get("GET /api/v1/state" + from + "cross-site"), StartsWith("HTTP/1.1 403 "));
  EXPECT_THAT(get("GET /api/v1/state" + from + "same-origin"), StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(get("GET /" + from + "cross-site"), StartsWith("HTTP/1.1 200 ")) << "a link leads here";
  EXPECT_TRUE(backend.asked.size() <= 2);
}

TEST_F(ServedPage, ALinkFromElsewhereMayBeFollowed) {
  const auto follow = [this](const std::string& mode, const std::string& destination,
                             const std::string& more = "", const std::string& method = "GET",
                             const std::string& host = "localhost") {
    return get(method + " /api/v1/events HTTP/1.1\r\nSec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: " + mode +
                   "\r\nSec-Fetch-Dest: " + destination + more,
               host);
  };
  EXPECT_THAT(follow("navigate", "document"), StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(follow("navigate", "document", "\r\nSec-Fetch-User: ?1"), StartsWith("HTTP/1.1 200 "));
  for (const auto* framed : {"iframe", "frame", "embed", "object", "empty", ""}) {
    EXPECT_THAT(follow("navigate", framed), StartsWith("HTTP/1.1 403 ")) << framed;
  }
  for (const auto* asked : {"script", "image", "style", "empty", "document"}) {
    EXPECT_THAT(follow("no-cors", asked), StartsWith("HTTP/1.1 403 ")) << asked;
    EXPECT_THAT(follow("cors", asked), StartsWith("HTTP/1.1 403 ")) << asked;
  }
  EXPECT_THAT(follow("navigate", "document", "\r\nSec-Purpose: prefetch"), StartsWith("HTTP/1.1 403 "));
  EXPECT_THAT(follow("navigate", "document", "\r\nSec-Purpose: prefetch;prerender"),
              StartsWith("HTTP/1.1 403 "));
  EXPECT_THAT(follow("navigate", "document", "", "POST"), StartsWith("HTTP/1.1 405 ")) << "a form's";
  EXPECT_THAT(follow("navigate", "document", "", "GET", "evil.example"), StartsWith("HTTP/1.1 421 "));
}

TEST_F(ServedPage, OnlyReads) {
  for (const auto* method : {"POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"}) {
    EXPECT_THAT(get(std::string(method) + " /api/v1/state HTTP/1.1"), StartsWith("HTTP/1.1 405 ")) << method;
  }
  EXPECT_TRUE(backend.asked.empty());
}

TEST_F(ServedPage, AnswersAreJson) {
  for (const auto* name : {"state", "ports", "next-hops", "zones", "drops", "stats", "neighbours", "bgp",
                           "events", "rates", "explain?from=172.16.0.1&to=1.1.1.1&port=lan"}) {
    const auto answer = get(std::string("GET /api/v1/") + name + " HTTP/1.1");
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\n")) << name;
    EXPECT_THAT(answer, HasSubstr("\r\nContent-Type: application/json\r\n")) << name;
    EXPECT_TRUE(Json::accept(answer.substr(answer.find("\r\n\r\n") + 4))) << answer;
  }
}

TEST_F(ServedPage, WhatNeedsNoDataplaneDoesNotWaitForIt) {
  backend.hangs = true;
  auto waiting = connect();
  boost::asio::write(waiting,
                     boost::asio::buffer(std::string(
                         "GET /api/v1/state HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")));
  for (const auto* name : {"events", "bgp", "rates"}) {
    EXPECT_THAT(get(std::string("GET /api/v1/") + name + " HTTP/1.1"), StartsWith("HTTP/1.1 200 ")) << name;
    EXPECT_EQ(waiting.available(), 0U) << "the dataplane has still not answered";
  }
}

TEST_F(ServedPage, WhatIsNotUnderstood) {
  EXPECT_THAT(get("GET /api/v1/ HTTP/1.1"), StartsWith("HTTP/1.1 404 "));
  EXPECT_THAT(get("GET /../etc/passwd HTTP/1.1"), StartsWith("HTTP/1.1 404 "));
  EXPECT_THAT(get("GET //api/v1/state HTTP/1.1"), StartsWith("HTTP/1.1 404 "));
  EXPECT_THAT(get("GET https://localhost/ HTTP/1.1"), StartsWith("HTTP/1.1 404 "));
  EXPECT_THAT(get("GET /api/v1/explain?from=%zz HTTP/1.1"), StartsWith("HTTP/1.1 400 "));
  EXPECT_THAT(get("GET /?" + std::string(9000, 'x') + " HTTP/1.1"), StartsWith("HTTP/1.1 431 "));
  EXPECT_THAT(ask("\x16\x03\x01 this is TLS\r\n\r\n"), StartsWith("HTTP/1.1 400 "));
}

// By a server of its own: what it sends is longer than all that lies between it and a client.
TEST(SlowReaders, PushOutTheirOwnAfterAWhile) {
  boost::asio::io_context io;
  boost::asio::io_context clients;
  const auto body = std::make_shared<const std::string>(std::size_t(32) << 20U, 'x');
  auto listening = http::Server::listen(
      io, {boost::asio::ip::address_v4::loopback(), 0},
      {.name = "much", .paths = {"/much", "/little"}, .answer = [&](const http::Request& request, auto done) {
         done(request.path == "/much" ? http::Response{.shared = body} : http::Response{.body = "little"});
       }});
  ASSERT_TRUE(listening) << listening.error();
  auto server = std::move(*listening);
  const auto endpoint = server->endpoint();
  std::thread thread{[&] { io.run(); }};
  const auto connect = [&] {
    tcp::socket socket{clients};
    socket.open(tcp::v4());
    socket.set_option(tcp::socket::receive_buffer_size(4096));
    socket.connect(endpoint);
    return socket;
  };
  std::vector<tcp::socket> slow;
  for (int i = 0; i < 40; ++i) {
    slow.push_back(connect());
    boost::asio::write(slow.back(), boost::asio::buffer(std::string("GET /much HTTP/1.1\r\n\r\n")));
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(1500));
  auto socket = connect();
  boost::system::error_code ignored;
  boost::asio::write(
      socket, boost::asio::buffer(std::string("GET /little HTTP/1.1\r\nConnection: close\r\n\r\n")), ignored);
  std::string answer;
  boost::asio::read(socket, boost::asio::dynamic_buffer(answer), ignored);
  EXPECT_THAT(answer, testing::EndsWith("\r\n\r\nlittle"));
  slow.clear();
  io.stop();
  thread.join();
}

TEST_F(ServedPage, WhoReadsOrSendsSlowlyKeepsNobodyOut) {
  std::vector<tcp::socket> slow;
  const std::string whole = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
  for (int i = 0; i < 60; ++i) {
    slow.push_back(connect());
    boost::system::error_code ignored;
    // Half of them ask, and never read what they get.
    boost::asio::write(slow.back(), boost::asio::buffer(i % 2 == 0 ? whole : whole.substr(0, 9)), ignored);
  }
  EXPECT_THAT(get("GET /api/v1/state HTTP/1.1"), StartsWith("HTTP/1.1 200 "));
}

}  // namespace
}  // namespace sekisho::web
