// SPDX-License-Identifier: BSD-3-Clause
// What becomes of a question to FRR, whatever vtysh does. Real answers of FRR 8.4.4; scripts stand in for a vtysh that misbehaves.
#include "control/frr/vtysh.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "tests/unit/temporary_folder.hpp"

namespace sekisho::frr {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using namespace std::chrono_literals;
using Kind = Failure::Kind;

program::Ended failed(const std::string& output, const std::string& errors) {
  return {.failure = "ended with exit status 1", .output = output, .errors = errors};
}

Failure failure_of(const program::Ended& how, const std::string& instance = "") {
  const auto result = meaning(how, instance, 5s);
  return result ? Failure{Kind::broken, "it succeeded"} : result.error();
}

TEST(VtyshMeaning, SaysWhatIsWrongInASentence) {
  const struct {
    program::Ended how;
    Kind kind;
    std::string sentence;
  } cases[] = {
      {{.failure = "cannot be run: No such file or directory", .was_found = false},
       Kind::absent,
       "FRR is not installed: there is no vtysh"},
      {{.failure = "was killed: it had not ended in time", .took_too_long = true},
       Kind::hangs,
       "FRR does not answer: vtysh had not ended after 5 s and was killed"},
      {failed(
           "",
           "% Can't open configuration file /etc/frr/nothere/vtysh.conf due to 'No such file or directory'.\n"
           "Exiting: failed to connect to any daemons.\n"),
       Kind::not_running,
       "FRR's bgpd of instance \"nothere\" is not running: there is no /var/run/frr/nothere/bgpd.vty"},
      {failed("% Unknown command: show bgp nonsense\n", ""), Kind::unknown,
       "FRR does not know a command; is it another version? It says \"% Unknown command: show bgp "
       "nonsense\""},
      {failed("BGP is already running; AS is 65010\n", ""), Kind::refused,
       "FRR refused a command: \"BGP is already running; AS is 65010\""},
      {failed("% Can't find static route specified\n",
              "% Can't open configuration file /etc/frr/vtysh.conf due to 'Permission denied'.\n"),
       Kind::refused, "FRR refused a command: \"% Can't find static route specified\""},
      {{.failure = "was ended by signal 11"}, Kind::broken, "vtysh was ended by signal 11"},
  };
  for (const auto& each : cases) {
    const auto failure = failure_of(each.how, "nothere");
    EXPECT_EQ(failure.sentence, each.sentence);
    EXPECT_EQ(failure.kind, each.kind) << each.sentence;
  }
}

TEST(VtyshMeaning, WhatItFoundMissingDoesNotSpoilAnAnswer) {
  EXPECT_EQ(*meaning({.output = "{\n}\n", .errors = "% Can't open configuration file /etc/frr/vtysh.conf\n"},
                     "", 5s),
            "{\n}\n");
}

TEST(VtyshDocuments, StandOneBehindTheOther) {
  EXPECT_THAT(*documents("{\n\"a\": 1}\n{\n}\n[2]\n"),
              ElementsAre(nlohmann::json{{"a", 1}}, nlohmann::json::object(), nlohmann::json{2}));
  EXPECT_THAT(*documents(" \n"), ElementsAre());
  for (const auto* broken : {"% BGP instance not found\n", "{\"a\": ", "{}\n% Unknown"}) {
    EXPECT_THAT(documents(broken).error().sentence, HasSubstr("is not the JSON that was asked for"))
        << broken;
  }
}

TEST(StartsBgpd, AsItsFileOfDaemonsSays) {
  const test::TemporaryFolder folder;
  for (const auto* text : {"bgpd=yes\n", "zebra=no\nbgpd=yes\n"}) {
    EXPECT_TRUE(starts_bgpd("", folder.write("daemons", text))) << text;
  }
  for (const auto* text : {"", "#bgpd=yes\nbgpd=no\n", "nobgpd=yes\n"}) {
    const auto file = folder.write("daemons", text);
    EXPECT_FALSE(starts_bgpd("", file)) << text;
    EXPECT_TRUE(starts_bgpd("one", file)) << "nobody knows";
  }
  EXPECT_TRUE(starts_bgpd("", folder.path() / "none")) << "nobody knows";
}

class VtyshTest : public testing::Test {
 protected:
  VtyshTest() : path{std::getenv("PATH")} {
    ::setenv("PATH", (folder.path().native() + ":" + path).c_str(), 1);
  }
  ~VtyshTest() override { ::setenv("PATH", path.c_str(), 1); }

  void is(const std::string& body) {
    ::chmod(folder.write("vtysh", "#!/bin/sh\n" + body + "\n").c_str(), 0755);
  }

  test::TemporaryFolder folder;
  std::string path;
};

TEST_F(VtyshTest, GetsTheInstanceAndTheCommands) {
  is(R"(for word; do echo "[$word]"; done)");
  EXPECT_EQ(*ask_now("one", {"configure terminal", "router bgp 65010"}),
            "[-N]\n[one]\n[-d]\n[bgpd]\n[-c]\n[configure terminal]\n[-c]\n[router bgp 65010]\n");
  EXPECT_EQ(*ask_now("", {"show version"}), "[-d]\n[bgpd]\n[-c]\n[show version]\n");
}

TEST_F(VtyshTest, OneThatHangsIsKilled) {
  is("sleep 1000");
  EXPECT_EQ(ask_now("", {"show version"}, 100ms).error(),
            (Failure{Kind::hangs, "FRR does not answer: vtysh had not ended after 0.1 s and was killed"}));
}

TEST_F(VtyshTest, GivesAllOfALongAnswer) {
  is("head -c 3000000 /dev/zero | tr '\\0' x");
  EXPECT_EQ(ask_now("", {"show running-config"})->size(), 3000000U);
}

TEST_F(VtyshTest, AnEndlessAnswerEnds) {
  is("cat /dev/zero");
  EXPECT_THAT(ask_now("", {"show version"}, 60s).error().sentence, HasSubstr("it had printed more than"));
}

TEST_F(VtyshTest, ServesCallsInTheirOrder) {
  is("echo $4");
  boost::asio::io_context io;
  Vtysh vtysh{io};
  std::vector<std::string> said;
  for (const auto* each : {"one", "two", "three"}) {
    vtysh.ask({each}, [&](const Result<std::string>& answer) {
      said.push_back(*answer);
      if (said.size() == 1) {
        vtysh.ask({"four"}, [&](const Result<std::string>& last) { said.push_back(*last); });
      }
    });
  }
  io.run();
  EXPECT_THAT(said, ElementsAre("one\n", "two\n", "three\n", "four\n"));
}

TEST_F(VtyshTest, ItsEndEndsWhatRuns) {
  const auto file = folder.path() / "done";
  is("sleep 1000; touch " + file.native());
  boost::asio::io_context io;
  bool is_told = false;
  {
    Vtysh vtysh{io};
    vtysh.ask({"show version"}, [&](const Result<std::string>&) { is_told = true; });
    io.run_for(20ms);
  }
  io.run();
  EXPECT_FALSE(is_told);
}

// It has not even begun to run: a thread is still starting it.
TEST_F(VtyshTest, ItsEndEndsWhatIsBeingStarted) {
  const auto file = folder.path() / "done";
  is("sleep 0.3; touch " + file.native());
  for (int i = 0; i != 20; ++i) {
    boost::asio::io_context io;
    Vtysh vtysh{io};
    vtysh.ask({"show version"}, [](const Result<std::string>&) {});
    std::this_thread::sleep_for(i * 200us);
  }
  std::this_thread::sleep_for(1s);
  EXPECT_FALSE(std::filesystem::exists(file));
}

}  // namespace
}  // namespace sekisho::frr
