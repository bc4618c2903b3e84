// SPDX-License-Identifier: BSD-3-Clause
// What the CLI asks, over control's Unix socket. Framing as the dataplane's: a 4-byte big-endian
// length, then that many bytes of JSON (requests at most 1 MiB, replies at most 16 MiB).
//
//   request   {"command": "show", "what": "ports"}    {"command": "reload"}
//             {"command": "reload", "dry_run": true}    {"command": "reload", "force": true}
//             {"command": "route", "verb": "add", "zone": "onprem", "prefix": "10.1.0.0/16", "next_hop": "firewall"}
//             {"command": "lookup", "zone": "onprem", "addresses": ["1.1.1.1"]}
//             {"command": "drain"}    {"command": "undrain"}    {"command": "monitor"}
//             {"command": "explain", "source": "172.16.0.10", "destination": "1.1.1.1", "port": "lan",
//              "protocol": "tcp", "source_port": 40000, "destination_port": 443}
//   reply     {"ok": true, "result": ...}    {"ok": false, "error": "one sentence"}
//             {"command": "effective-routes", "zone": "onprem", "winners": true}
//             `monitor` streams for as long as the client likes: a page is a list of events, and empty when there was none for a while
//             `show routes` and `effective-routes` stream: several replies, all but the last with "more": true; a dry run
//             gives what it is about first, then its routes the same way
//
// `result` is what `sekisho ... --json` prints; the CLI draws its tables from the same.
#pragma once

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <tl/expected.hpp>

#include "common/ipc/socket.hpp"
#include "control/serve/backend.hpp"

namespace sekisho::serve {

class Server {
 public:
  struct Options {
    ipc::Access access;       // who may connect and read, besides root
    std::string admin_group;  // whose members may also change what runs; empty: nobody but root
    // For a client to send its next request, or to take what it asked for. Beyond it the connection ends.
    std::chrono::milliseconds patience = std::chrono::minutes{1};
  };

  // Listens. A socket that a dead process left is replaced; one that somebody serves is an error that says
  // so.
  [[nodiscard]] static auto listen(boost::asio::io_context& io, const std::filesystem::path& socket,
                                   Backend& backend, Options options = default_options())
      -> tl::expected<std::unique_ptr<Server>, std::string>;
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

 private:
  [[nodiscard]] static Options default_options() { return {}; }

  struct Impl;
  explicit Server(std::unique_ptr<Impl> impl) noexcept;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sekisho::serve
