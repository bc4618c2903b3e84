// SPDX-License-Identifier: BSD-3-Clause
// Answers GET and HEAD over HTTP at one address: metrics for Prometheus, health for a load balancer, a page for people. Plain
// HTTP and no passwords: to be listened on where only those get to. Each listener has connections of its own, so that who uses up
// those of the page keeps nobody from the health. Whoever opens many of them, sends or reads slowly or sends garbage costs a bounded
// number of connections, and keeps others out for a second at most.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <tl/expected.hpp>
#include <utility>
#include <vector>

namespace sekisho::http {

using Headers = std::vector<std::pair<std::string, std::string>>;

struct Request {
  std::string accept;      // its Accept header; empty: none
  std::string path = {};   // one of the site's
  std::string query = {};  // behind its "?", as it came
  std::vector<std::string>
      hosts;  // its Host headers: one, unless somebody errs; or what an absolute target names instead
  // What a browser says of why it asks (Fetch Metadata); empty: nothing, as of whoever is no browser.
  struct Fetch {
    std::string site = {};         // Sec-Fetch-Site: by whose page it was told to
    std::string mode = {};         // Sec-Fetch-Mode: "navigate", "cors", ...
    std::string destination = {};  // Sec-Fetch-Dest: "document", "iframe", "script", "image", ...
    std::string purpose = {};      // Sec-Purpose: "prefetch": nobody may ever look at it
  };
  Fetch fetch = {};
  boost::asio::ip::address to = {};  // to which address of ours it came
};

struct Response {
  unsigned status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body;
  Headers headers = {};  // besides the site's
  // In place of `body`, for one that many are sent at once.
  std::shared_ptr<const std::string> shared = nullptr;
};

// What is served.
struct Site {
  std::string name;                // in messages: "metrics"
  std::vector<std::string> paths;  // any other is 404
  // What is refused before anything else is looked at, its path and its method included; null: nothing.
  std::function<std::optional<Response>(const Request&)> refuse = nullptr;
  // Calls back with the response, now or later. What comes after `patience` is not waited for: `too_late` is sent instead.
  std::function<void(const Request&, std::function<void(Response)>)> answer;
  std::chrono::milliseconds patience{5000};
  Response too_late;
  Headers headers = {};  // of every answer
};

class Server {
 public:
  // The address need not be there yet.
  [[nodiscard]] static auto listen(boost::asio::io_context& io,
                                   const boost::asio::ip::tcp::endpoint& endpoint, Site site)
      -> tl::expected<std::unique_ptr<Server>, std::string>;
  ~Server();  // ends all connections
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  [[nodiscard]] boost::asio::ip::tcp::endpoint endpoint() const;

 private:
  struct Impl;
  explicit Server(std::unique_ptr<Impl> impl) noexcept;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sekisho::http
