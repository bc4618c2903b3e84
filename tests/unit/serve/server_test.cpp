// SPDX-License-Identifier: BSD-3-Clause
// Over a real socket: who may ask, and what hostile or slow clients bring about.
#include <gmock/gmock.h>
#include <grp.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "common/ipc/frame.hpp"
#include "common/ipc/seats.hpp"
#include "control/serve/routes.hpp"
#include "control/serve/server.hpp"
#include "tests/unit/serve/fake_backend.hpp"

namespace sekisho::serve {
namespace {

using Protocol = boost::asio::local::stream_protocol;

// The server runs on a thread of its own; the tests are its clients.
class Socket : public testing::Test {
 protected:
  Socket() : path_(backend_.folder.path() / "control.sock") {}

  void start() {
    auto server = Server::listen(io_, path_, backend_, options_);
    ASSERT_TRUE(server) << server.error();
    server_ = std::move(*server);
    thread_ = std::thread{[this] { io_.run(); }};
  }
  ~Socket() override {
    io_.stop();
    if (thread_.joinable()) {
      thread_.join();
    }
  }

  Protocol::socket client() {
    Protocol::socket socket{client_io_};
    socket.connect(path_.string());
    return socket;
  }
  static void send(Protocol::socket& socket, const std::string& bytes) {
    boost::asio::write(socket, boost::asio::buffer(bytes));
  }
  static Json receive(Protocol::socket& socket) {
    ipc::FrameHeader header{};
    boost::asio::read(socket, boost::asio::buffer(header));
    std::string body(ipc::frame_length(header), '\0');
    boost::asio::read(socket, boost::asio::buffer(body));
    return Json::parse(body);
  }
  static bool ends(Protocol::socket& socket) {
    char byte = 0;
    boost::system::error_code error;
    boost::asio::read(socket, boost::asio::buffer(&byte, 1), error);
    return error == boost::asio::error::eof || error == boost::asio::error::connection_reset;
  }

  FakeBackend backend_{3 * RoutePages::page_size};
  std::filesystem::path path_;
  Server::Options options_;
  boost::asio::io_context io_;
  boost::asio::io_context client_io_;
  std::unique_ptr<Server> server_;
  std::thread thread_;
};

const std::string zones_request = R"({"command":"show","what":"zones"})";

TEST_F(Socket, OnlyItsOwnerMayConnect) {
  start();
  struct stat status {};
  ASSERT_EQ(::stat(path_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0600U);
}

TEST_F(Socket, AnswersSeveralClientsAndSeveralRequests) {
  start();
  auto first = client();
  auto second = client();
  send(first, ipc::frame(zones_request));
  send(second, ipc::frame(zones_request) + ipc::frame(R"({"command":"dance"})") + ipc::frame(zones_request));
  EXPECT_EQ(receive(second)["ok"], true);
  EXPECT_EQ(receive(second)["ok"], false);
  EXPECT_EQ(receive(second)["ok"], true);
  EXPECT_EQ(receive(first)["ok"], true);
}

TEST_F(Socket, StreamsRoutesInPages) {
  start();
  auto socket = client();
  send(socket, ipc::frame(R"({"command":"show","what":"routes","zone":"internet"})"));
  std::size_t routes = 0;
  std::size_t pages = 0;
  for (auto more = true; more; ++pages) {
    const auto reply = receive(socket);
    ASSERT_EQ(reply["ok"], true);
    routes += reply["result"].size();
    more = reply.value("more", false);
  }
  EXPECT_EQ(routes, 3 * RoutePages::page_size + 3);
  EXPECT_EQ(pages, 4U);
  send(socket, ipc::frame(zones_request));
  EXPECT_EQ(receive(socket)["result"].size(), 2U);
}

TEST_F(Socket, AClientThatLeavesInTheMiddleHurtsNobody) {
  start();
  for (int i = 0; i < 20; ++i) {
    auto socket = client();
    send(socket, ipc::frame(R"({"command":"show","what":"routes"})"));
  }
  auto socket = client();
  send(socket, ipc::frame(zones_request));
  EXPECT_EQ(receive(socket)["ok"], true);
}

TEST_F(Socket, HostileInputEndsTheConnectionAndNothingElse) {
  start();
  const std::vector<std::string> hostile{
      std::string{"\0\0\0\0", 4},
      "\xff\xff\xff\xff",
      std::string{"\0\x10\0\x01", 4},  // one more than a request may have
      ipc::frame("not JSON"),
      ipc::frame("[]"),
      ipc::frame("\"show\""),
      ipc::frame("\xff\xfe"),
      ipc::frame("{\"command\":\"show\""),
      ipc::frame(std::string(500'000, '[')),
      ipc::frame(std::string(500'000, '[') + std::string(500'000, ']')),
      "GET / HTTP/1.1\r\n\r\n",
  };
  for (const auto& bytes : hostile) {
    auto socket = client();
    send(socket, bytes);
    EXPECT_TRUE(ends(socket)) << bytes.substr(0, 40);
  }
  auto socket = client();
  send(socket, ipc::frame("{\"command\":\"\xff\"}").substr(0, 6));  // and half a frame
  socket.close();
  auto other = client();
  send(other, ipc::frame(zones_request));
  EXPECT_EQ(receive(other)["ok"], true);
}

TEST_F(Socket, WhoOnlyHoldsAConnectionMakesRoom) {
  start();
  std::vector<Protocol::socket> clients;
  for (std::size_t i = 0; i < ipc::most_seats; ++i) {
    clients.push_back(client());
    send(clients.back(), ipc::frame(zones_request));
    EXPECT_EQ(receive(clients.back())["ok"], true);
  }
  auto late = client();
  send(late, ipc::frame(zones_request));
  EXPECT_EQ(receive(late)["ok"], true);
  EXPECT_TRUE(ends(clients.front()));
  send(clients.back(), ipc::frame(zones_request));
  EXPECT_EQ(receive(clients.back())["ok"], true);
}

TEST_F(Socket, WhoAsksNothingOrHalfARequestIsLetGo) {
  options_.patience = std::chrono::milliseconds{50};
  start();
  auto silent = client();
  auto half = client();
  send(half, ipc::frame(zones_request).substr(0, 10));
  EXPECT_TRUE(ends(silent));
  EXPECT_TRUE(ends(half));
}

TEST_F(Socket, ReplacesADeadSocketAndRefusesALivingOne) {
  { Protocol::acceptor dead{client_io_, Protocol::endpoint{path_.string()}}; }
  ASSERT_TRUE(std::filesystem::exists(path_));
  start();
  boost::asio::io_context io;
  const auto second = Server::listen(io, path_, backend_);
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error(), testing::HasSubstr("another process serves it"));
  auto socket = client();
  send(socket, ipc::frame(zones_request));
  EXPECT_EQ(receive(socket)["ok"], true);
}

TEST_F(Socket, RefusesPathsThatItCannotHave) {
  const auto file = backend_.folder.write("file", "precious");
  for (const auto& path : {file, std::filesystem::path{std::string(200, 'x')}, file / "below"}) {
    const auto server = Server::listen(io_, path, backend_);
    ASSERT_FALSE(server);
    EXPECT_THAT(server.error(), testing::StartsWith("cannot listen on " + path.string() + ": "));
  }
  EXPECT_TRUE(std::filesystem::is_regular_file(file));
}

TEST_F(Socket, RemovesItsSocketWhenItEnds) {
  start();
  auto socket = client();
  send(socket, ipc::frame(zones_request));
  EXPECT_EQ(receive(socket)["ok"], true);
  io_.stop();
  thread_.join();
  server_.reset();
  EXPECT_FALSE(std::filesystem::exists(path_));
}

// In a process of another user's, which has connected before; what it says is its exit code.
class Roles : public Socket {
 protected:
  // Member of those groups alone, numbered as in group(5).
  Json ask_as_nobody(std::vector<gid_t> groups, const Json& request) {
    constexpr unsigned nobody = 65534;
    std::array<int, 2> ends{};
    EXPECT_EQ(::pipe(ends.data()), 0);
    const auto child = ::fork();
    if (child == 0) {
      if (::setgroups(groups.size(), groups.data()) != 0 || ::setgid(nobody) != 0 || ::setuid(nobody) != 0) {
        ::_exit(1);
      }
      boost::asio::io_context io;
      Protocol::socket socket{io};
      socket.connect(path_.string());
      send(socket, ipc::frame(request.dump()));
      const auto reply = receive(socket).dump();
      ::_exit(::write(ends[1], reply.data(), reply.size()) < 0 ? 1 : 0);
    }
    ::close(ends[1]);
    std::string reply;
    std::array<char, 4096> part{};
    for (ssize_t got = 0; (got = ::read(ends[0], part.data(), part.size())) > 0;) {
      reply.append(part.data(), static_cast<std::size_t>(got));
    }
    ::close(ends[0]);
    ::waitpid(child, nullptr, 0);
    return Json::parse(reply, nullptr, false);
  }
  void serve(const std::string& admin_group) {
    options_ = {.access = {.user = {}, .group = "daemon"}, .admin_group = admin_group};
    start();
    std::filesystem::permissions(backend_.folder.path(), std::filesystem::perms{0755});
    backend_.reloaded = Reloaded{.applied = true};
  }
  static gid_t number(const char* group) { return ::getgrnam(group)->gr_gid; }
};

const Json exception_past_the_firewall{{"command", "route"},
                                       {"verb", "add"},
                                       {"zone", "onprem"},
                                       {"prefix", "8.0.0.0/8"},
                                       {"next_hop", "Internet"}};

TEST_F(Roles, TheGroupReadsAndChangesNothing) {
  serve("");
  EXPECT_EQ(ask_as_nobody({number("daemon")}, Json::parse(zones_request))["ok"], true);
  for (const auto& change : {exception_past_the_firewall, Json{{"command", "reload"}},
                             Json{{"command", "confirm"}}, Json{{"command", "something-new"}}}) {
    const auto reply = ask_as_nobody({number("daemon")}, change);
    EXPECT_EQ(reply["ok"], false);
    EXPECT_THAT(reply["error"].get<std::string>(), testing::HasSubstr("only root may"));
  }
  EXPECT_TRUE(backend_.overrides_asked.empty());
  EXPECT_EQ(ask_as_nobody({number("daemon")}, Json{{"command", "history"}})["ok"], true);
  const auto dry = ask_as_nobody({number("daemon")}, {{"command", "reload"}, {"dry_run", true}});
  EXPECT_EQ(dry["error"], "no plan") << "asked, that is";
  // Errors of a file quote it, and control reads what its clients may not.
  const auto other = ask_as_nobody({number("daemon")},
                                   {{"command", "reload"}, {"dry_run", true}, {"config", "/etc/shadow"}});
  EXPECT_THAT(other["error"].get<std::string>(), testing::HasSubstr("only root may"));
}

TEST_F(Roles, TheSecondGroupChanges) {
  serve("adm");
  const auto refused = ask_as_nobody({number("daemon")}, exception_past_the_firewall);
  EXPECT_THAT(refused["error"].get<std::string>(), testing::HasSubstr("only root and group adm may"));
  EXPECT_EQ(ask_as_nobody({number("daemon"), number("adm")}, exception_past_the_firewall)["ok"], true);
  EXPECT_EQ(backend_.overrides_asked.size(), 1U);
}

TEST_F(Roles, RootChanges) {
  serve("");
  auto socket = client();
  send(socket, ipc::frame(exception_past_the_firewall.dump()));
  EXPECT_EQ(receive(socket)["ok"], true);
}

TEST_F(Roles, AGroupThatIsNotThereIsSaid) {
  const auto server = Server::listen(io_, path_, backend_, {.access = {}, .admin_group = "no-such-group"});
  ASSERT_FALSE(server);
  EXPECT_THAT(server.error(), testing::HasSubstr("no group \"no-such-group\" for --admin-group"));
}

}  // namespace
}  // namespace sekisho::serve
