// SPDX-License-Identifier: BSD-3-Clause
// The exposition as a pure function, and its server over real connections.
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
#include <set>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "common/base/prefix.hpp"
#include "control/metrics/accept.hpp"
#include "control/metrics/exposition.hpp"
#include "control/metrics/site.hpp"
#include "tests/unit/temporary_folder.hpp"

namespace sekisho::metrics {
namespace {

using boost::asio::ip::tcp;
using testing::HasSubstr;
using testing::Not;

TEST(Text, OpenMetricsDescribesFamilies) {
  Text text{Format::openmetrics};
  text.family("a_bytes", Type::counter, "bytes", "Bytes.");
  text.sample({{"port", "lan"}, {"by", "x"}}, std::uint64_t{18446744073709551615ULL});
  text.family("b", Type::info, "", "B.");
  text.sample({{"version", "1"}}, std::uint64_t{1});
  text.family("c_seconds", Type::gauge, "seconds", "C.");
  text.sample({}, 1732234123.25);
  EXPECT_EQ(
      std::move(text).finish(),
      "# TYPE a_bytes counter\n# UNIT a_bytes bytes\n# HELP a_bytes Bytes.\n"
      "a_bytes_total{port=\"lan\",by=\"x\"} 18446744073709551615\n"
      "# TYPE b info\n# HELP b B.\nb_info{version=\"1\"} 1\n"
      "# TYPE c_seconds gauge\n# UNIT c_seconds seconds\n# HELP c_seconds C.\nc_seconds 1732234123.250\n"
      "# EOF\n");
}

TEST(Text, ThePrometheusFormatDescribesSamples) {
  Text text{Format::prometheus};
  text.family("a_bytes", Type::counter, "bytes", "Bytes.");
  text.sample({}, std::uint64_t{3});
  text.family("b", Type::info, "", "B.");
  text.sample({{"version", "1"}}, std::uint64_t{1});
  EXPECT_EQ(std::move(text).finish(),
            "# TYPE a_bytes_total counter\n# HELP a_bytes_total Bytes.\na_bytes_total 3\n"
            "# TYPE b_info gauge\n# HELP b_info B.\nb_info{version=\"1\"} 1\n");
}

TEST(Text, EscapesLabels) {
  Text text{Format::prometheus};
  text.family("a", Type::gauge, "", "A.");
  text.sample({{"name", "a\"b\\c\nd"}}, std::uint64_t{1});
  EXPECT_THAT(std::move(text).finish(), HasSubstr("a{name=\"a\\\"b\\\\c\\nd\"} 1\n"));
}

TEST(Accept, PrefersOpenMetrics) {
  for (const auto* openmetrics :
       {"", "*/*", "text/html,*/*;q=0.8", "application/openmetrics-text; version=1.0.0", "text/plain;q=0",
        "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
        "text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
        "text/plain, application/openmetrics-text", ",,;", ";q=1", "text/plain;q=abc"}) {
    EXPECT_EQ(negotiate(openmetrics), Format::openmetrics) << openmetrics;
  }
  for (const auto* plain :
       {"text/plain", "TEXT/Plain; version=0.0.4", "text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
        "application/openmetrics-text;q=0.4 , text/plain;version=0.0.4; q=0.5"}) {
    EXPECT_EQ(negotiate(plain), Format::prometheus) << plain;
  }
}

constexpr std::string_view configuration = R"(
[port.lan]
device = "af_xdp:lan0"
[port.wire]
device = "net_null0"
companion = false
[port.dead]
device = "net_null1"
companion = false
[next_hop.firewall]
members = ["10.0.2.10", "10.0.2.11"]
[next_hop.gateway]
members = ["10.0.1.1"]
[zone.onprem]
port = ["lan"]
sources = ["172.16.0.0/12"]
routes = [{ prefix = "0.0.0.0/0", next_hop = "firewall" }]
)";

struct World {
  World() {
    policy = policy::read(folder.write("sekisho.toml", configuration)).value();
    mirror.links[1] = {.index = 1, .name = "lan0", .up = true, .mac = {}, .mtu = 1500};
  }
  void connect() {
    auto& state = live.state.emplace();
    state.set_version("9.9");
    state.set_started_unix_ms(1500);
    state.set_transaction(7);
    state.mutable_packet_memory()->set_bytes(100);
    state.mutable_packet_memory()->set_transparent_hugepage_bytes(60);
    for (const auto* name : {"lan", "wire"}) {
      auto* port = state.add_ports();
      port->set_name(name);
      port->set_running(true);
    }
    state.add_ports()->set_name("dead");
    auto* firewall = state.add_next_hops();
    firewall->mutable_next_hop()->set_name("firewall");
    firewall->set_alive_members(1);
    auto* adjacency = state.add_adjacencies();
    adjacency->mutable_key()->set_port("wire");
    adjacency->mutable_key()->set_address(base::parse_address("10.0.2.10").value());
    adjacency->set_alive(true);
    auto* table = state.add_tables();
    table->set_zone("onprem");
    table->set_routes(3);
    table->set_extension_tables(2);
    table->set_extension_tables_limit(100);
    table->set_memory_bytes(33554432);

    auto& statistics = live.statistics.emplace();
    auto* lan = statistics.add_ports();
    lan->set_name("lan");
    lan->mutable_rx()->set_packets(100);
    lan->mutable_rx()->set_bytes(6400);
    lan->mutable_tx()->set_packets(90);
    lan->mutable_tx()->set_bytes(5400);
    lan->set_host(1);
    lan->set_missed(2);
    lan->set_held(3);
    (*lan->mutable_drops())["no_route"] = 10;
    (*lan->mutable_steer())["redirected"] = 105;
    (*lan->mutable_steer())["dropped_ipv6"] = 4;
    auto* zone = statistics.add_zones();
    zone->set_name("onprem");
    zone->mutable_counter()->set_packets(90);
    zone->mutable_counter()->set_bytes(5500);
    for (const auto* name : {"firewall", "none"}) {
      auto* next_hop = statistics.add_next_hops();
      next_hop->set_name(name);
      next_hop->mutable_counter()->set_packets(80);
      next_hop->mutable_counter()->set_bytes(4800);
    }
    auto* neighbour = statistics.add_adjacencies();
    *neighbour->mutable_key() = adjacency->key();
    neighbour->mutable_counter()->set_packets(70);
    neighbour->mutable_counter()->set_bytes(4200);
    auto* worker = statistics.add_workers();
    worker->set_lcore(1);
    worker->set_polls(1000);
    worker->set_bursts(50);
    worker->set_sleeps(20);
  }
  [[nodiscard]] std::string text(Format format = Format::openmetrics) const {
    return exposition({.policy = *policy,
                       .mirror = mirror,
                       .live = live,
                       .started_unix_ms = 2250,
                       .reloads = reloads,
                       .members = members},
                      format);
  }

  test::TemporaryFolder folder;
  std::shared_ptr<const policy::Policy> policy;
  netlink::Mirror mirror;
  serve::Live live;
  std::vector<reach::Member> members;
  Reloads reloads{.succeeded = 2, .failed = 1, .last_succeeded = false, .last_success_unix_ms = 3000};
};

TEST(Exposition, SaysWhatControlKnowsByItself) {
  const World world;
  const auto text = world.text();
  for (const auto* line :
       {"sekisho_build_info{version=\"" SEKISHO_VERSION "\"} 1\n", "sekisho_start_time_seconds 2.250\n",
        "sekisho_config_reloads_total{result=\"success\"} 2\n",
        "sekisho_config_reloads_total{result=\"failure\"} 1\n", "sekisho_config_last_reload_successful 0\n",
        "sekisho_config_last_reload_success_timestamp_seconds 3.000\n", "sekisho_dataplane_connected 0\n"}) {
    EXPECT_THAT(text, HasSubstr("\n" + std::string{line}));
  }
  EXPECT_THAT(text, Not(HasSubstr("sekisho_port_up"))) << "nobody knows";
  EXPECT_THAT(text, testing::EndsWith("# EOF\n"));
}

TEST(Exposition, SaysWhoIsAliveWithoutADataplane) {
  World world;
  const auto address = base::parse_address("10.0.2.10").value();
  world.members = {{.port = "wire", .address = address, .alive = true}};
  world.members[0].downs = 2;
  world.members[0].ups = 1;
  EXPECT_THAT(world.text(), Not(HasSubstr("sekisho_member_probe_round_trip_seconds{")));
  world.members[0].round_trip = std::chrono::microseconds{312};
  for (const auto* line :
       {"sekisho_member_up{next_hop=\"firewall\",address=\"10.0.2.10\",port=\"wire\"} 1",
        "sekisho_member_transitions_total{next_hop=\"firewall\",address=\"10.0.2.10\",to=\"up\"} 1",
        "sekisho_member_transitions_total{next_hop=\"firewall\",address=\"10.0.2.10\",to=\"down\"} 2",
        "sekisho_member_probe_round_trip_seconds{next_hop=\"firewall\",address=\"10.0.2.10\"} 0.000312"}) {
    EXPECT_THAT(world.text(), HasSubstr("\n" + std::string{line} + "\n"));
  }
}

TEST(Exposition, InternetIsANextHopAndProblemsAreCounted) {
  World world;
  auto policy = std::make_shared<policy::Policy>(*world.policy);
  policy->config.internet.emplace().exit = "lan";
  world.policy = policy;
  world.connect();
  EXPECT_THAT(world.text(), HasSubstr("\nsekisho_next_hop_up{next_hop=\"Internet\"} 0\n"));
  auto& internet = *world.live.state->add_next_hops()->mutable_next_hop();
  internet.set_name("internet");
  internet.set_action(ipc::NextHop::EXIT);
  EXPECT_THAT(world.text(), HasSubstr("\nsekisho_next_hop_up{next_hop=\"Internet\"} 1\n"));
  EXPECT_THAT(world.text(), HasSubstr("\nsekisho_health 0\n"));
  EXPECT_THAT(world.text(), HasSubstr("\nsekisho_draining 0\n"));
  EXPECT_THAT(world.text(), HasSubstr("\nsekisho_problems{kind=\"next_hop_down\"} 0\n"));
}

TEST(Exposition, SaysWhatTheDataplaneDoes) {
  World world;
  world.connect();
  const auto text = world.text();
  for (const auto* line : {
           "sekisho_dataplane_connected 1",
           "sekisho_dataplane_build_info{version=\"9.9\"} 1",
           "sekisho_dataplane_start_time_seconds 1.500",
           "sekisho_dataplane_transactions_total 7",
           "sekisho_dataplane_packet_memory_bytes{pages=\"reserved\"} 0",
           "sekisho_dataplane_packet_memory_bytes{pages=\"transparent\"} 60",
           "sekisho_dataplane_packet_memory_bytes{pages=\"small\"} 40",
           "sekisho_port_up{port=\"lan\"} 1",
           "sekisho_port_up{port=\"wire\"} 1",
           "sekisho_port_up{port=\"dead\"} 0",
           "sekisho_port_rx_packets_total{port=\"lan\"} 100",
           "sekisho_port_rx_bytes_total{port=\"lan\"} 6400",
           "sekisho_port_tx_packets_total{port=\"lan\"} 90",
           "sekisho_port_tx_bytes_total{port=\"lan\"} 5400",
           "sekisho_port_host_packets_total{port=\"lan\"} 1",
           "sekisho_port_missed_packets_total{port=\"lan\"} 2",
           "sekisho_port_held_packets{port=\"lan\"} 3",
           "sekisho_port_steering_packets_total{port=\"lan\",verdict=\"redirected\"} 105",
           "sekisho_drops_total{port=\"lan\",by=\"dataplane\",reason=\"no_route\"} 10",
           "sekisho_drops_total{port=\"lan\",by=\"dataplane\",reason=\"ttl_expired\"} 0",
           "sekisho_drops_total{port=\"lan\",by=\"steering\",reason=\"dropped_ipv6\"} 4",
           "sekisho_drops_total{port=\"lan\",by=\"device\",reason=\"missed\"} 2",
           "sekisho_zone_packets_total{zone=\"onprem\"} 90",
           "sekisho_zone_bytes_total{zone=\"onprem\"} 5500",
           "sekisho_next_hop_packets_total{next_hop=\"firewall\"} 80",
           "sekisho_next_hop_packets_total{next_hop=\"None\"} 80",
           "sekisho_next_hop_bytes_total{next_hop=\"firewall\"} 4800",
           "sekisho_next_hop_up{next_hop=\"firewall\"} 1",
           "sekisho_next_hop_up{next_hop=\"gateway\"} 0",
           "sekisho_next_hop_members{next_hop=\"firewall\",state=\"alive\"} 1",
           "sekisho_next_hop_members{next_hop=\"firewall\",state=\"down\"} 1",
           "sekisho_next_hop_members{next_hop=\"firewall\",state=\"drained\"} 0",
           "sekisho_next_hop_members{next_hop=\"gateway\",state=\"down\"} 1",
           "sekisho_adjacency_up{port=\"wire\",address=\"10.0.2.10\"} 1",
           "sekisho_adjacency_packets_total{port=\"wire\",address=\"10.0.2.10\"} 70",
           "sekisho_adjacency_bytes_total{port=\"wire\",address=\"10.0.2.10\"} 4200",
           "sekisho_table_routes{table=\"onprem\"} 3",
           "sekisho_table_extension_tables{table=\"onprem\"} 2",
           "sekisho_table_extension_tables_limit{table=\"onprem\"} 100",
           "sekisho_table_memory_bytes{table=\"onprem\"} 33554432",
           "sekisho_worker_polls_total{lcore=\"1\"} 1000",
           "sekisho_worker_bursts_total{lcore=\"1\"} 50",
           "sekisho_worker_sleeps_total{lcore=\"1\"} 20",
       }) {
    EXPECT_THAT(text, HasSubstr("\n" + std::string{line} + "\n"));
  }
  world.mirror.links[1].up = false;
  EXPECT_THAT(world.text(), HasSubstr("sekisho_port_up{port=\"lan\"} 0\n"));
  world.mirror.links.clear();
  EXPECT_THAT(world.text(), HasSubstr("sekisho_port_up{port=\"lan\"} 0\n"));
}

TEST(Exposition, BothFormatsHaveTheSameSamples) {
  World world;
  world.connect();
  const auto samples = [](const std::string& text) {
    std::set<std::string> lines;
    std::istringstream in{text};
    for (std::string line; std::getline(in, line);) {
      if (!line.starts_with('#')) {
        EXPECT_TRUE(lines.insert(line).second) << "twice: " << line;
      }
    }
    return lines;
  };
  EXPECT_EQ(samples(world.text(Format::openmetrics)), samples(world.text(Format::prometheus)));
}

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
