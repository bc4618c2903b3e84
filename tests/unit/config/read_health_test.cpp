// SPDX-License-Identifier: BSD-3-Clause
// How an appliance is watched: metrics, health checks, the page, the hook.
#include <gtest/gtest.h>

#include "tests/unit/config/edited.hpp"

namespace sekisho::config {
namespace {

TEST_F(EditedConfig, Metrics) {
  const std::string listen = "\"127.0.0.1:9273\"";
  expect({
      {listen, "\"0.0.0.0:80\"", ""},
      {"[metrics]\nlisten = " + listen, "", ""},
      {listen, "\"127.0.0.1\"",
       "30: \"127.0.0.1\" is not an IPv4 address and TCP port, such as 127.0.0.1:9273"},
      {listen, "\":9273\"", "30: \":9273\" is not an IPv4 address and TCP port"},
      {listen, "\"localhost:9273\"", "30: \"localhost:9273\" is not an IPv4 address and TCP port"},
      {listen, "\"127.0.0.1:0\"", "30: \"127.0.0.1:0\" is not an IPv4 address and TCP port"},
      {listen, "\"127.0.0.1:65536\"", "30: \"127.0.0.1:65536\" is not an IPv4 address and TCP port"},
      {listen, "\"127.0.0.1:9273 \"", "30: \"127.0.0.1:9273 \" is not an IPv4 address and TCP port"},
      {listen, "\"224.0.0.1:9273\"", "30: 224.0.0.1 is in 224.0.0.0/3 (multicast and reserved)"},
      {listen, "9273", "30: \"listen\" in [metrics] must be a string, not an integer"},
      {"listen =", "lisen =", "30: \"lisen\" is not a key of [metrics]; did you mean \"listen\"?"},
      {"\nlisten = " + listen, "", "29: [metrics] needs \"listen\""},
      {"[metrics]\nlisten = " + listen, "[[metrics]]", "29: \"metrics\" must be a table, [metrics]"},
  });
}

TEST_F(EditedConfig, Health) {
  const auto health = [](const std::string& keys) { return "[health]\n" + keys + "\n[metrics]"; };
  const std::string listen = "listen = [\"10.0.1.4:8080\", \"10.0.2.4:8080\"]\n";
  expect({
      {"[metrics]", health(listen), ""},
      {"[metrics]", health(listen + "require = []"), ""},
      {"[metrics]", health(listen + R"(require = ["internet", "next_hop:gateway", "zone:back"])"), ""},
      {"[metrics]", health(""), "29: [health] needs \"listen\""},
      {"[metrics]", health("listen = []"), "30: "},
      {"[metrics]", health("listen = \"10.0.1.4:8080\""), "30: "},
      {"[metrics]", health("listen = [\"10.0.1.4\"]"),
       "30: \"10.0.1.4\" is not an IPv4 address and TCP port"},
      {"[metrics]", health("listen = [\"10.0.1.4:80\", \"10.0.1.4:80\"]"),
       "30: 10.0.1.4:80 is taken by [health] (line 30)"},
      {"[metrics]", health("listen = [\"0.0.0.0:9273\"]"),
       "30: 0.0.0.0:9273 is taken by [metrics] (line 32)"},
      {"[metrics]", health(listen + "require = [\"exit\"]"),
       "31: \"exit\" is required, and there is no exit in [internet]"},
      {"[metrics]", health(listen + "require = [\"next_hop:gatway\"]"),
       "31: there is no next hop \"gatway\"; did you mean \"gateway\"?"},
      {"[metrics]", health(listen + "require = [\"zone:onprm\"]"),
       "31: there is no zone \"onprm\"; did you mean \"onprem\"?"},
      {"[metrics]", health(listen + "require = [\"firewall\"]"),
       "31: \"firewall\" is nothing that can be required"},
      {"[metrics]", health(listen + "port = 80"), "31: \"port\" is not a key of [health]"},
  });
}

TEST_F(EditedConfig, Web) {
  const auto web = [](const std::string& keys) { return "[web]\n" + keys + "\n[metrics]"; };
  const std::string listen = "listen = \"127.0.0.1:8088\"\n";
  expect({
      {"[metrics]", web(listen), ""},
      {"[metrics]", web(listen + R"(hosts = ["nva1", "NVA1.example.net"])"), ""},
      {"[metrics]", web(listen + "hosts = []"), ""},
      {"[metrics]", web(""), "29: [web] needs \"listen\""},
      {"[metrics]", web("listen = [\"127.0.0.1:8088\"]"), "30: \"listen\" in [web] must be a string"},
      {"[metrics]", web("listen = \"127.0.0.1:9273\""), "30: 127.0.0.1:9273 is taken by [metrics] (line 32)"},
      {"[metrics]", web(listen + "hosts = \"nva1\""), "31: \"hosts\" in [web] must be "},
      {"[metrics]", web(listen + R"(hosts = ["nva1:8088"])"),
       "31: \"nva1:8088\" is not a host's name without a port, such as nva1.example.net"},
      {"[metrics]", web(listen + R"(hosts = ["*"])"), "31: \"*\" is not a host's name"},
      {"[metrics]", web(listen + R"(hosts = [""])"), "31: \"\" is not a host's name"},
      {"[metrics]", web(listen + "host = []"), "31: \"host\" is not a key of [web]; did you mean \"hosts\"?"},
  });
}

TEST_F(EditedConfig, Hook) {
  const auto hook = [](const std::string& keys) { return "[hook]\n" + keys + "\n[metrics]"; };
  expect({
      {"[metrics]", hook("on_change = \"/usr/local/bin/tell\""), ""},
      {"[metrics]", hook(""), "29: [hook] needs \"on_change\""},
      {"[metrics]", hook("on_change = \"\""), "30: \"on_change\" names no file"},
      {"[metrics]", hook("on_change = [\"/bin/sh\"]"), "30: \"on_change\" in [hook] must be a string"},
      {"[metrics]", hook("onchange = \"/bin/sh\""), "30: \"onchange\" is not a key of [hook]"},
  });
}

}  // namespace
}  // namespace sekisho::config
