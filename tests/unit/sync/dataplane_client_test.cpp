// SPDX-License-Identifier: BSD-3-Clause
#include "control/sync/dataplane_client.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

#include "tests/unit/sync/fake_dataplane.hpp"
#include "tests/unit/until.hpp"

namespace sekisho::sync {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using Answered = tl::expected<std::vector<ipc::Reply>, std::string>;
using Body = ipc::Request::BodyCase;

class DataplaneClientTest : public testing::Test {
 protected:
  DataplaneClientTest() { client.start(); }

  [[nodiscard]] bool until(const std::function<bool()>& happened) { return test::run_until(io, happened); }
  [[nodiscard]] bool connect() {
    return until([&] { return client.connected() && dataplane.connections == 1; });
  }
  Answered transact(bool full, std::vector<ipc::Change> changes) {
    std::optional<Answered> result;
    client.transact(full, std::move(changes), [&](const Answered& answer) { result = answer; });
    EXPECT_TRUE(until([&] { return result.has_value(); }));
    return result.value_or(tl::unexpected<std::string>("no answer"));
  }
  [[nodiscard]] std::vector<Body> asked() const {
    std::vector<Body> result;
    for (const auto& request : dataplane.requests) {
      result.push_back(request.body_case());
    }
    return result;
  }
  static std::vector<ipc::Change> changes(int count) {
    std::vector<ipc::Change> result(static_cast<std::size_t>(count));
    for (int i = 0; i < count; ++i) {
      result[static_cast<std::size_t>(i)].add_ports()->set_name("port" + std::to_string(i));
    }
    return result;
  }
  static ipc::Request get_state() {
    ipc::Request request;
    request.mutable_get_state();
    return request;
  }

  const std::filesystem::path path =
      std::filesystem::temp_directory_path() / ("sekisho-client-test-" + std::to_string(getpid()) + ".sock");
  boost::asio::io_context io;
  test::FakeDataplane dataplane{io, path};
  std::vector<std::string> disconnects;
  std::vector<std::string> ports;  // of events
  DataplaneClient client{
      io,
      path,
      {.connected = [] {},
       .disconnected = [this](const std::string& reason) { disconnects.push_back(reason); },
       .event = [this](const ipc::Event& event) { ports.push_back(event.port().name()); }}};
};

TEST_F(DataplaneClientTest, CommitsATransaction) {
  ASSERT_TRUE(connect());
  const auto answer = transact(true, changes(2));
  ASSERT_TRUE(answer) << answer.error();
  EXPECT_EQ(answer->back().committed().transaction(), 1u);
  EXPECT_THAT(asked(), ElementsAre(Body::kBegin, Body::kChange, Body::kChange, Body::kCommit));
  EXPECT_TRUE(dataplane.requests[0].begin().full());
  EXPECT_EQ(dataplane.requests[1].change().ports(0).name(), "port0");
  EXPECT_EQ(dataplane.requests[2].change().ports(0).name(), "port1");
}

TEST_F(DataplaneClientTest, SendsNothingMoreAfterARefusedChange) {
  dataplane.on_request = [&](const ipc::Request& request) {
    if (request.has_change()) {
      dataplane.say_no(request, "port0 has no name");
    } else {
      dataplane.say_yes(request);
    }
  };
  ASSERT_TRUE(connect());
  EXPECT_EQ(transact(false, changes(2)).error(), "port0 has no name");
  EXPECT_THAT(asked(), ElementsAre(Body::kBegin, Body::kChange, Body::kAbort));
  EXPECT_FALSE(dataplane.requests[0].begin().full());
}

TEST_F(DataplaneClientTest, EndsAtARefusedBeginAndARefusedCommit) {
  dataplane.on_request = [&](const ipc::Request& request) {
    if (request.has_begin()) {
      dataplane.say_no(request, "somebody else has one open");
    }
  };
  ASSERT_TRUE(connect());
  EXPECT_EQ(transact(true, changes(1)).error(), "somebody else has one open");
  EXPECT_THAT(asked(), ElementsAre(Body::kBegin));
  dataplane.on_request = [&](const ipc::Request& request) {
    if (request.has_commit()) {
      dataplane.say_no(request, "too many routes");
    } else {
      dataplane.say_yes(request);
    }
  };
  EXPECT_EQ(transact(true, changes(1)).error(), "too many routes");
}

TEST_F(DataplaneClientTest, AnswersWhatWasOpenWhenTheConnectionEnds) {
  dataplane.on_request = [&](const ipc::Request& request) {
    if (request.has_change()) {
      dataplane.hang_up();
    } else {
      dataplane.say_yes(request);
    }
  };
  ASSERT_TRUE(connect());
  EXPECT_THAT(transact(true, changes(3)).error(), HasSubstr("connection to the dataplane was lost"));
  EXPECT_THAT(asked(), ElementsAre(Body::kBegin, Body::kChange));
  EXPECT_EQ(disconnects.size(), 1u);
}

TEST_F(DataplaneClientTest, ConnectsAgain) {
  ASSERT_TRUE(connect());
  dataplane.die();
  ASSERT_TRUE(until([&] { return !client.connected(); }));
  EXPECT_EQ(disconnects.size(), 1u);
  EXPECT_THAT(transact(true, {}).error(), HasSubstr("not connected"));
  dataplane.listen();
  ASSERT_TRUE(until([&] { return client.connected() && dataplane.connections == 2; }));
  EXPECT_TRUE(transact(true, changes(1)));
}

TEST_F(DataplaneClientTest, StopsForGood) {
  ASSERT_TRUE(connect());
  client.stop();
  EXPECT_FALSE(client.connected());
  io.restart();
  io.run_for(std::chrono::milliseconds(300));
  EXPECT_EQ(dataplane.connections, 1);
}

TEST_F(DataplaneClientTest, PassesEventsBetweenReplies) {
  ASSERT_TRUE(connect());
  dataplane.on_request = [&](const ipc::Request& request) {
    ipc::Message event;
    event.mutable_event()->mutable_port()->set_name("lan");
    dataplane.send(event);
    dataplane.say_yes(request);
  };
  EXPECT_TRUE(transact(true, {}));
  EXPECT_THAT(ports, ElementsAre("lan", "lan"));
}

TEST_F(DataplaneClientTest, CollectsARepliesParts) {
  ASSERT_TRUE(connect());
  dataplane.on_request = [&](const ipc::Request& request) {
    for (const bool more : {true, true, false}) {
      ipc::Message message;
      message.mutable_reply()->set_id(request.id());
      message.mutable_reply()->mutable_routes()->set_more(more);
      dataplane.send(message);
    }
  };
  std::vector<std::size_t> parts;
  for (int i = 0; i < 2; ++i) {
    ipc::Request request;
    request.mutable_get_routes()->set_zone("onprem");
    client.ask(std::move(request),
               [&](const Answered& answer) { parts.push_back(answer ? answer->size() : 0); });
  }
  ASSERT_TRUE(until([&] { return parts.size() == 2; }));
  EXPECT_THAT(parts, ElementsAre(3u, 3u));
}

TEST_F(DataplaneClientTest, DropsAPeerThatTalksNonsense) {
  ASSERT_TRUE(connect());
  int connection = 1;
  for (const auto& nonsense :
       std::initializer_list<std::function<void()>>{[&] { dataplane.send_raw("\xff\xff\xff\xff"); },
                                                    [&] {  // an answer to nothing
                                                      ipc::Request request;
                                                      request.set_id(999);
                                                      dataplane.say_yes(request);
                                                    }}) {
    nonsense();
    ++connection;
    EXPECT_TRUE(until([&] { return dataplane.connections == connection && client.connected(); }));
  }
  EXPECT_EQ(disconnects.size(), 2u);
}

TEST_F(DataplaneClientTest, RefusesARequestThatFitsNoFrame) {
  ASSERT_TRUE(connect());
  std::vector<ipc::Change> large(1);
  large[0].add_ports()->set_device(std::string(17u << 20, 'x'));
  EXPECT_THAT(transact(true, std::move(large)).error(), HasSubstr("too large"));
  std::optional<Answered> state;
  client.ask(get_state(), [&](const Answered& answer) { state = answer; });
  EXPECT_TRUE(until([&] { return state.has_value(); }));  // and the connection goes on
  EXPECT_TRUE(*state);
}

// The kernel takes connections and bytes for it.
class HungDataplane : public DataplaneClientTest {
 protected:
  using Milliseconds = std::chrono::milliseconds;
  HungDataplane() {
    client.stop();
    impatient.start();
  }
  void hang() {
    dataplane.greets = false;
    dataplane.on_request = [](const ipc::Request&) {};
  }
  [[nodiscard]] bool connect_impatient() {
    return until([&] { return impatient.connected(); });
  }

  int connects = 0;
  std::vector<std::string> reasons;
  DataplaneClient impatient{io,
                            path,
                            {.connected = [this] { ++connects; },
                             .disconnected = [this](const std::string& reason) { reasons.push_back(reason); },
                             .event = [](const ipc::Event&) {}},
                            {.silence = Milliseconds{40},
                             .question = Milliseconds{60},
                             .transaction = Milliseconds{200},
                             .heartbeat = Milliseconds{30}}};
};

TEST_F(HungDataplane, IsSaidWithoutAnybodysAsking) {
  ASSERT_TRUE(connect_impatient());
  EXPECT_EQ(impatient.problem(), "");
  hang();
  EXPECT_TRUE(until([&] { return impatient.problem().find("has not answered for") != std::string::npos; }));
}

TEST_F(HungDataplane, AQuestionIsAnsweredAllTheSame) {
  ASSERT_TRUE(connect_impatient());
  hang();
  for (int i = 0; i < 2; ++i) {  // the second at once
    std::optional<Answered> state;
    impatient.ask(get_state(), [&](const Answered& answer) { state = answer; });
    ASSERT_TRUE(until([&] { return state.has_value(); }));
    EXPECT_THAT(state->error(), HasSubstr("connected and has not answered for"));
  }
}

TEST_F(HungDataplane, ATransactionIsNotDone) {
  ASSERT_TRUE(connect_impatient());
  hang();
  std::optional<Answered> result;
  impatient.transact(true, changes(1), [&](const Answered& answer) { result = answer; });
  ASSERT_TRUE(until([&] { return result.has_value(); }));
  EXPECT_THAT(result->error(), HasSubstr("it has not answered for"));
  EXPECT_EQ(reasons.size(), 1u);
}

TEST_F(HungDataplane, OneThatOnlyAcceptsIsNotConnected) {
  hang();
  dataplane.hang_up();
  ASSERT_TRUE(until([&] { return dataplane.connections >= 2; }));
  EXPECT_TRUE(until([&] { return impatient.problem().find("has not answered for") != std::string::npos; }));
  EXPECT_FALSE(impatient.connected());
}

// Before it has been silent for long: it may forward, so nobody may say that it does not run.
TEST_F(HungDataplane, OneThatHasNotAnsweredYetIsThere) {
  hang();
  DataplaneClient patient{io, path, {.connected = [] {}, .disconnected = {}, .event = {}}};
  EXPECT_FALSE(patient.is_there());
  EXPECT_THAT(patient.problem(), HasSubstr("is sekisho-dataplane running?"));
  patient.start();
  ASSERT_TRUE(until([&] { return patient.is_there(); }));
  EXPECT_FALSE(patient.connected());
  EXPECT_FALSE(patient.hangs());
  std::optional<Answered> state;
  patient.ask(get_state(), [&](const Answered& answer) { state = answer; });
  ASSERT_TRUE(state.has_value());
  EXPECT_EQ(state->error(), "the dataplane is connected and has not answered yet");
  impatient.stop();
  dataplane.die();
  EXPECT_TRUE(until([&] { return !patient.is_there(); }));
}

TEST_F(HungDataplane, HealsWhenItAnswersAgain) {
  ASSERT_TRUE(connect_impatient());
  std::vector<ipc::Request> waiting;
  dataplane.on_request = [&](const ipc::Request& request) { waiting.push_back(request); };
  std::optional<Answered> late;
  impatient.ask(get_state(), [&](const Answered& answer) { late = answer; });
  ASSERT_TRUE(until([&] { return late.has_value(); }));
  dataplane.say_yes(waiting.front());  // too late, and the connection goes on
  dataplane.on_request = [&](const ipc::Request& request) { dataplane.say_yes(request); };
  std::optional<Answered> next;
  ASSERT_TRUE(until([&] { return impatient.problem().empty(); }));
  impatient.ask(get_state(), [&](const Answered& answer) { next = answer; });
  ASSERT_TRUE(until([&] { return next.has_value(); }));
  EXPECT_TRUE(*next);
  EXPECT_EQ(connects, 1);
}

}  // namespace
}  // namespace sekisho::sync
