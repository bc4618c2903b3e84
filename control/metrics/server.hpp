// SPDX-License-Identifier: BSD-3-Clause
// GET /metrics over HTTP, for Prometheus and whatever speaks its formats. Plain HTTP and no passwords: to be listened on
// where only the monitoring gets to.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <functional>
#include <memory>
#include <string>
#include <tl/expected.hpp>

#include "control/metrics/text.hpp"

namespace sekisho::metrics {

class Server {
 public:
  // Calls back with the text, now or when the dataplane has answered.
  using Collect = std::function<void(Format, std::function<void(std::string)>)>;

  // The address need not be there yet.
  [[nodiscard]] static auto listen(boost::asio::io_context& io,
                                   const boost::asio::ip::tcp::endpoint& endpoint, Collect collect)
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

}  // namespace sekisho::metrics
