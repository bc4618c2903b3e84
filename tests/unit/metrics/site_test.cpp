// SPDX-License-Identifier: BSD-3-Clause
// A server of it over real connections.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "control/metrics/site.hpp"

namespace sekisho::metrics {
namespace {

using boost::asio::ip::tcp;
using testing::HasSubstr;
using testing::Not;

// A server with its own thread, and what a scraper says to it.
class Served : public testing::Test {
 protected:
  void SetUp() override {
    auto listening = http::Server::listen(io, {boost::asio::ip::address_v4::loopback(), 0},
                                          site([this](Format format, std::function<void(std::string)> done) {
                                            if (holds) {
                                              held.push_back(std::move(done));
                                            } else {
                                              done(format == Format::openmetrics ? "# EOF\n" : "plain\n");
                                            }
                                          }));
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
  // All that comes until the server closes.
  static std::string drain(tcp::socket& socket) {
    std::string answer;
    boost::system::error_code end;
    boost::asio::read(socket, boost::asio::dynamic_buffer(answer), end);
    return answer;
  }
  std::string ask(const std::string& request) {
    auto socket = connect();
    boost::system::error_code ignored;  // it may refuse before it has read all
    boost::asio::write(socket, boost::asio::buffer(request), ignored);
    return drain(socket);
  }
  std::string get(const std::string& head) { return ask(head + "\r\nHost: x\r\nConnection: close\r\n\r\n"); }

  boost::asio::io_context io;
  boost::asio::io_context clients;
  std::unique_ptr<http::Server> server;
  tcp::endpoint endpoint;
  std::thread thread;
  std::atomic<bool> holds = false;
  std::deque<std::function<void(std::string)>> held;
};

TEST_F(Served, Get) {
  const auto answer = get("GET /metrics HTTP/1.1");
  EXPECT_THAT(answer, testing::StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(answer,
              HasSubstr("\r\nContent-Type: application/openmetrics-text; version=1.0.0; charset=utf-8\r\n"));
  EXPECT_THAT(answer, HasSubstr("\r\nContent-Length: 6\r\n"));
  EXPECT_THAT(answer, testing::EndsWith("\r\n\r\n# EOF\n"));
  EXPECT_THAT(get("GET /metrics?x=1 HTTP/1.1"), testing::StartsWith("HTTP/1.1 200 OK\r\n"));
}

TEST_F(Served, ThePlainFormatOnDemand) {
  const auto answer = get("GET /metrics HTTP/1.1\r\nAccept: text/plain");
  EXPECT_THAT(answer, HasSubstr("\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n"));
  EXPECT_THAT(answer, testing::EndsWith("\r\n\r\nplain\n"));
}

TEST_F(Served, HeadHasNoContent) {
  const auto answer = get("HEAD /metrics HTTP/1.1");
  EXPECT_THAT(answer, testing::StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(answer, HasSubstr("\r\nContent-Length: 6\r\n"));
  EXPECT_THAT(answer, testing::EndsWith("\r\n\r\n"));
}

TEST_F(Served, Refusals) {
  EXPECT_THAT(get("GET / HTTP/1.1"), testing::StartsWith("HTTP/1.1 404 Not Found\r\n"));
  EXPECT_THAT(get("GET /metrics/ HTTP/1.1"), testing::StartsWith("HTTP/1.1 404 Not Found\r\n"));
  const auto deleted = get("DELETE /metrics HTTP/1.1");
  EXPECT_THAT(deleted, testing::StartsWith("HTTP/1.1 405 Method Not Allowed\r\n"));
  EXPECT_THAT(deleted, HasSubstr("\r\nAllow: GET, HEAD\r\n"));
  EXPECT_THAT(ask("\x16\x03\x01 this is TLS\r\n\r\n"), testing::StartsWith("HTTP/1.1 400 Bad Request\r\n"));
  EXPECT_THAT(ask("POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc"),
              testing::StartsWith("HTTP/1.1 400 Bad Request\r\n"))
      << "a body is nothing that is understood here";
  EXPECT_THAT(get("GET /metrics HTTP/1.1\r\nX: " + std::string(9000, 'x')),
              testing::StartsWith("HTTP/1.1 431 Request Header Fields Too Large\r\n"));
}

TEST_F(Served, AConnectionServesManyRequests) {
  auto socket = connect();
  std::string text;
  for (int i = 0; i < 3; ++i) {
    boost::asio::write(socket, boost::asio::buffer(std::string{"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"}));
    text.erase(0, boost::asio::read_until(socket, boost::asio::dynamic_buffer(text), "# EOF\n"));
    EXPECT_EQ(text, "");
  }
}

TEST_F(Served, WhoSendsSlowlyKeepsNobodyOut) {
  std::vector<tcp::socket> slow;
  for (int i = 0; i < 100; ++i) {
    slow.push_back(connect());
    boost::system::error_code ignored;
    boost::asio::write(slow.back(), boost::asio::buffer(std::string{"GET /metr"}), ignored);
  }
  EXPECT_THAT(get("GET /metrics HTTP/1.1"), testing::EndsWith("# EOF\n"));
}

TEST_F(Served, WhoOpensManyPushesOutHisOwn) {
  // Another address of this host: another scraper, which keeps its connection.
  tcp::socket other{clients};
  other.open(tcp::v4());
  other.bind({boost::asio::ip::make_address_v4("127.0.0.2"), 0});
  other.connect(endpoint);
  std::vector<tcp::socket> many;
  for (int i = 0; i < 100; ++i) {
    many.push_back(connect());
  }
  EXPECT_THAT(get("GET /metrics HTTP/1.1"), testing::EndsWith("# EOF\n"));
  boost::asio::write(
      other,
      boost::asio::buffer(std::string{"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"}));
  EXPECT_THAT(drain(other), testing::EndsWith("# EOF\n"));
}

TEST_F(Served, AnAnswerThatDoesNotComeIsSaid) {
  holds = true;
  EXPECT_THAT(get("GET /metrics HTTP/1.1"), testing::StartsWith("HTTP/1.1 503 Service Unavailable\r\n"));
  boost::asio::post(io, [this] { held.front()("late"); });
  holds = false;
  EXPECT_THAT(get("GET /metrics HTTP/1.1"), testing::EndsWith("# EOF\n"));
}

TEST_F(Served, AServerThatEndsClosesItsConnections) {
  auto waiting = connect();
  boost::asio::write(waiting, boost::asio::buffer(std::string{"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"}));
  std::string text;
  boost::asio::read_until(waiting, boost::asio::dynamic_buffer(text), "# EOF\n");
  boost::asio::post(io, [this] { server.reset(); });
  EXPECT_EQ(drain(waiting), "");
}

TEST_F(Served, AnAddressThatIsTakenSaysSo) {
  boost::asio::io_context other;
  const auto second = http::Server::listen(other, endpoint, site({}));
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error(), "metrics cannot be served on 127.0.0.1:" + std::to_string(endpoint.port()) +
                                ": Address already in use");
}

TEST(Listen, AnAddressThatIsNotThereYetWillDo) {
  boost::asio::io_context io;
  const tcp::endpoint later{boost::asio::ip::make_address_v4("192.0.2.1"), 0};  // RFC 5737: nobody's
  const auto server = http::Server::listen(io, later, site({}));
  ASSERT_TRUE(server) << server.error();
  EXPECT_EQ((*server)->endpoint().address(), later.address());
}

}  // namespace
}  // namespace sekisho::metrics
