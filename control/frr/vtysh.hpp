// SPDX-License-Identifier: BSD-3-Clause
// Asks FRR's bgpd, and tells it what to do, by FRR's own command `vtysh`: what it prints is the same in the versions that distributions
// have, which cannot be said of the sockets behind it.
//
// vtysh may be absent, hang with the daemon that it asks, or refuse; it says so in text, on either of its outputs, sometimes with exit
// status 0. A failure is therefore one of a few kinds and one sentence. Nothing here waits: the loop hears of the end.
#pragma once

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "control/program/run.hpp"

namespace sekisho::frr {

struct Failure {
  enum class Kind : std::uint8_t {
    absent,       // FRR is not installed
    not_running,  // bgpd is not there
    forbidden,    // this user may not speak to it
    hangs,        // no answer in time
    unknown,      // a command that this version of FRR does not have
    refused,      // by bgpd, for a reason
    broken        // vtysh itself did not work, or printed what nobody understands
  };
  Kind kind = Kind::broken;
  std::string sentence;  // without a full stop

  friend bool operator==(const Failure&, const Failure&) = default;
};

template <typename Type>
using Result = tl::expected<Type, Failure>;

// Where FRR keeps the sockets and the configuration of an instance (`-N NAME`); an empty name: of the usual one.
[[nodiscard]] auto run_directory(std::string_view instance) -> std::filesystem::path;
[[nodiscard]] auto configuration_file(std::string_view instance) -> std::filesystem::path;
// On which bgpd listens for vtysh: it is there while bgpd runs.
[[nodiscard]] auto bgpd_socket(std::string_view instance) -> std::filesystem::path;
// Whether FRR starts it. Who starts an instance with a name is not known, nor what stands in a file that cannot be read: true.
[[nodiscard]] bool starts_bgpd(std::string_view instance,
                               const std::filesystem::path& daemons = "/etc/frr/daemons");

class Vtysh {
 public:
  using Done = std::function<void(Result<std::string>)>;
  static constexpr std::chrono::seconds usual_limit{5};

  explicit Vtysh(boost::asio::io_context& io, std::string instance = {},
                 std::chrono::milliseconds limit = usual_limit);
  ~Vtysh();  // kills what runs; nobody is told
  Vtysh(const Vtysh&) = delete;
  Vtysh& operator=(const Vtysh&) = delete;

  // bgpd's answer to the commands, one after the other up to the first that fails. Those of one call are given to one vtysh: a call that
  // begins with "configure terminal" stays in that mode. Calls are served in their order, one at a time.
  void ask(std::vector<std::string> commands, Done done);

 private:
  struct Call {
    std::vector<std::string> commands;
    Done done;
  };

  void begin();
  void ended(const program::Ended& how);

  boost::asio::io_context& io_;
  std::string instance_;
  std::chrono::milliseconds limit_;
  std::deque<Call> calls_;  // the first of them is served
  std::unique_ptr<program::Run> run_;
};

// The same for who has no loop, and waits.
[[nodiscard]] auto ask_now(const std::string& instance, std::vector<std::string> commands,
                           std::chrono::milliseconds limit = Vtysh::usual_limit) -> Result<std::string>;

// The JSON documents that stand one behind the other in an answer.
[[nodiscard]] auto documents(std::string_view answer) -> Result<std::vector<nlohmann::json>>;

// What an end of vtysh means: its output, or why there is none. For tests.
[[nodiscard]] auto meaning(const program::Ended& how, const std::string& instance,
                           std::chrono::milliseconds limit) -> Result<std::string>;

}  // namespace sekisho::frr
