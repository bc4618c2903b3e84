// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/writer/server.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <filesystem>
#include <stdexcept>
#include <thread>

#include "common/ipc/frame.hpp"
#include "common/ipc/seats.hpp"
#include "dataplane/writer/session.hpp"
#include "tests/unit/writer/server_fixture.hpp"

namespace sekisho::writer::test {
namespace {

TEST_F(ServerTest, OnlyTheOwnerMayConnect) {
  struct stat found {};
  ASSERT_EQ(lstat(path.c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 07777, 0600U);
}

TEST_F(ServerTest, AFrameMayComeByteByByte) {
  Client client{path};
  const auto bytes = Client::frame(state_request(7)) + Client::frame(state_request(8));
  for (const char byte : bytes) {
    client.send_bytes({&byte, 1});
  }
  EXPECT_EQ(client.receive().reply().id(), 7U);
  EXPECT_EQ(client.receive().reply().id(), 8U);
}

TEST_F(ServerTest, AnOversizedFrameEndsTheConnectionWithAnError) {
  Client client{path};
  client.send_bytes(std::string{"\x01\x00\x00\x01", 4});
  const auto reply = client.receive().reply();
  EXPECT_EQ(reply.error().reason(), "a frame of 16777217 bytes is longer than 16777216");
  EXPECT_TRUE(client.at_end());
}

TEST_F(ServerTest, GarbageEndsTheConnectionWithAnError) {
  Client client{path};
  client.send_bytes(std::string{"\0\0\0\4\xff\xff\xff\xff more of it", 19});
  EXPECT_EQ(client.receive().reply().error().reason(), "what came is not a Request of dataplane.proto");
  EXPECT_TRUE(client.at_end());
  Client other{path};
  EXPECT_EQ(other.ask(state_request(1)).body_case(), ipc::Reply::kState);
}

TEST_F(ServerTest, AnUnknownRequestIsRefusedAndTheConnectionStays) {
  Client client{path};
  EXPECT_EQ(client.ask(ipc::Request{}).error().reason(), "this dataplane does not know the request");
  EXPECT_EQ(client.ask(state_request(2)).body_case(), ipc::Reply::kState);
}

TEST_F(ServerTest, OneTransactionAtATime) {
  Client one{path}, other{path};
  EXPECT_TRUE(one.begin(true).has_done());
  EXPECT_EQ(other.begin(true).error().reason(), "another client has a transaction open");
  EXPECT_TRUE(other.commit().has_error());
  EXPECT_TRUE(one.begin(true).has_done()) << "the same client may begin again";
  for (const auto& change : base()) {
    EXPECT_TRUE(one.change(change).has_done());
  }
  EXPECT_EQ(one.commit().committed().routes_added(), 2U);
  EXPECT_TRUE(other.begin(false).has_done());
}

TEST_F(ServerTest, OneClientCommands) {
  Client one{path}, other{path};
  ipc::Request subscribe;
  subscribe.mutable_subscribe();
  EXPECT_TRUE(one.ask(subscribe).has_done());
  EXPECT_TRUE(one.claim(false).has_done());
  EXPECT_TRUE(one.claim(false).has_done()) << "again is nothing new";
  const auto holder = fmt::format("process {} commands this dataplane", getpid());
  EXPECT_EQ(other.claim(false).error().reason(), holder);
  EXPECT_EQ(other.begin(true).error().reason(), holder);
  EXPECT_EQ(other.ask(state_request(1)).state().commanded_by(), static_cast<std::uint32_t>(getpid()));
  EXPECT_TRUE(one.begin(true).has_done());
  EXPECT_TRUE(other.claim(true).has_done());
  EXPECT_EQ(one.receive().event().superseded().process(), static_cast<std::uint32_t>(getpid()));
  EXPECT_TRUE(one.commit().has_error()) << "its transaction has ended";
  EXPECT_EQ(one.begin(true).error().reason(), holder);
  EXPECT_TRUE(other.begin(true).has_done());
  EXPECT_EQ(other.commit().committed().transaction(), 1U);
  EXPECT_EQ(one.receive().event().changed().transaction(), 1U);
}

TEST_F(ServerTest, TheClaimEndsWithItsConnection) {
  Client next{path};
  {
    Client gone{path};
    EXPECT_TRUE(gone.claim(false).has_done());
    gone.send(state_request(1));  // not read yet, perhaps, when the next one asks
  }
  EXPECT_TRUE(next.claim(false).has_done());
  EXPECT_TRUE(next.begin(true).has_done());
}

TEST_F(ServerTest, ARefusedChangeEndsTheTransaction) {
  Client client{path};
  client.begin(true);
  EXPECT_EQ(client.change(parse(R"(ports { name: "p" })")).error().reason(),
            "port p: its device is not named");
  EXPECT_TRUE(client.change(base()[0]).has_error());
  EXPECT_TRUE(client.commit().has_error());
  EXPECT_EQ(client.ask(state_request(1)).state().transaction(), 0U);
}

TEST_F(ServerTest, ADisconnectDropsTheTransaction) {
  {
    Client gone{path};
    gone.begin(true);
    gone.change(base()[0]);
  }
  Client client{path};
  while (client.begin(true).has_error()) {
    std::this_thread::yield();
  }
  EXPECT_EQ(client.ask(state_request(1)).state().transaction(), 0U);
}

TEST_F(ServerTest, ASubscriberHearsOfPorts) {
  Client subscriber{path}, control{path};
  ipc::Request request;
  request.mutable_subscribe();
  EXPECT_TRUE(subscriber.ask(request).has_done());
  control.begin(true);
  control.change(parse(R"(ports { name: "lan" device: "net_null0,no-rx=1" })"));
  control.commit();
  const auto event = subscriber.receive().event();
  EXPECT_EQ(event.port().name(), "lan");
  EXPECT_TRUE(event.port().running());
}

TEST_F(ServerTest, ASubscriberHearsOfWantedDestinations) {
  Client subscriber{path};
  ipc::Request request;
  request.mutable_subscribe();
  EXPECT_TRUE(subscriber.ask(request).has_done());
  for (const auto* destination : {"10.0.2.77", "10.0.2.78"}) {
    worker.wanted().note(ip(destination));
    const auto event = subscriber.receive().event();
    ASSERT_EQ(event.wanted().destinations_size(), 1) << event.DebugString();
    EXPECT_EQ(event.wanted().destinations(0), ip(destination));
  }
}

TEST_F(ServerTest, AServedSocketIsNotTaken) {
  asio::io_context second;
  try {
    const Server taken{second, path, writer};
    FAIL() << "it was taken";
  } catch (const std::runtime_error& error) {
    EXPECT_EQ(std::string{error.what()},
              "cannot listen on " + path.native() +
                  ": another process serves it; stop it first or choose another --socket");
  }
  Client client{path};
  EXPECT_EQ(client.ask(state_request(1)).body_case(), ipc::Reply::kState);
}

TEST_F(ServerTest, ADeadProcessesSocketIsReplacedAndAFileIsNot) {
  const auto stale = directory / "stale.sock";
  {
    const int dead = socket(AF_UNIX, SOCK_STREAM, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    stale.native().copy(address.sun_path, sizeof(address.sun_path) - 1);
    ASSERT_EQ(bind(dead, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
    close(dead);
  }
  asio::io_context second;
  {
    const Server replaced{second, stale, writer};
    EXPECT_TRUE(std::filesystem::exists(stale));
  }
  const auto file = directory / "file";
  close(open(file.c_str(), O_CREAT | O_WRONLY, 0600));
  EXPECT_THROW((Server{second, file, writer}), std::runtime_error);
  EXPECT_TRUE(std::filesystem::exists(file));
}

TEST_F(ServerTest, ASlowReaderGetsALongTableWhileOthersAreServed) {
  constexpr std::uint32_t count = 900'000;
  Client client{path}, other{path};
  client.begin(true);
  client.change(base()[0]);
  ipc::Change change;
  auto& routes = *change.add_routes();
  routes.set_zone("onprem");
  routes.add_next_hop_names("fw");
  routes.add_next_hop_names("gw");
  for (std::uint32_t i = 0; i < count; ++i) {
    routes.add_address(i << 8);
    routes.add_next_hop(i % 2);
  }
  routes.set_length(std::string(count, '\x18'));
  ASSERT_TRUE(client.change(change).has_done());
  const auto done = client.commit();
  ASSERT_EQ(done.committed().routes_added(), count) << done.error().reason();

  ipc::Request request;
  request.set_id(9);
  request.mutable_get_routes()->set_zone("onprem");
  client.send(request);
  client.send(state_request(10));
  EXPECT_EQ(other.ask(state_request(1)).body_case(), ipc::Reply::kState);
  std::uint32_t received = 0;
  for (bool more = true; more;) {
    const auto reply = client.receive().reply();
    ASSERT_EQ(reply.id(), 9U);
    const auto& part = reply.routes();
    ASSERT_LE(part.address_size(), static_cast<int>(Session::routes_a_chunk));
    for (int i = 0; i < part.address_size(); ++i, ++received) {
      ASSERT_EQ(part.address(i), received << 8);
      ASSERT_EQ(part.length()[static_cast<std::size_t>(i)], 24);
      ASSERT_EQ(part.next_hop_names(static_cast<int>(part.next_hop(i))), received % 2 == 0 ? "fw" : "gw");
    }
    more = part.more();
  }
  EXPECT_EQ(received, count);
  EXPECT_EQ(client.receive().reply().id(), 10U) << "replies come in order";
}

TEST_F(ServerTest, RequestsOfAClientThatNeverReadsAreNotTakenUp) {
  Client client{path}, other{path};
  client.begin(true);
  for (const auto& change : base()) {
    client.change(change);
  }
  client.commit();
  // Its socket fills, the other one's answers come all the same; then everything is there, in order.
  std::thread flood{[&] {
    for (std::uint64_t i = 1; i <= 5'000; ++i) {
      client.send(state_request(i));
    }
  }};
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(other.ask(state_request(1)).body_case(), ipc::Reply::kState);
  }
  for (std::uint64_t i = 1; i <= 5'000; ++i) {
    ASSERT_EQ(client.receive().reply().id(), i);
  }
  flood.join();
}

TEST_F(ServerTest, WhoOnlyHoldsAConnectionMakesRoom) {
  std::vector<std::unique_ptr<Client>> idle;
  for (std::size_t i = 0; i < ipc::most_seats; ++i) {
    idle.push_back(std::make_unique<Client>(path));
    EXPECT_EQ(idle.back()->ask(state_request(1)).body_case(), ipc::Reply::kState);
  }
  Client late{path};
  EXPECT_EQ(late.ask(state_request(1)).body_case(), ipc::Reply::kState);
  EXPECT_TRUE(idle.front()->at_end());
}

TEST_F(ServerTest, ControlStaysWhoeverComes) {
  Client control{path};
  ipc::Request subscribe;
  subscribe.mutable_subscribe();
  EXPECT_TRUE(control.ask(subscribe).has_done());
  EXPECT_TRUE(control.begin(true).has_done());
  std::vector<std::unique_ptr<Client>> subscribers;
  for (std::size_t i = 0; i < 2 * ipc::most_seats; ++i) {
    subscribers.push_back(std::make_unique<Client>(path));
    EXPECT_TRUE(subscribers.back()->ask(subscribe).has_done());
  }
  EXPECT_TRUE(control.commit().has_committed());
  EXPECT_EQ(control.ask(state_request(1)).body_case(), ipc::Reply::kState);
}

}  // namespace
}  // namespace sekisho::writer::test
