// SPDX-License-Identifier: BSD-3-Clause
// The connection to the dataplane: frames, requests in order, replies and events; connects again by itself
// for as long as it lives. Single-threaded, on the caller's io_context.
//
// A kernel accepts connections and takes bytes for a process that hangs. So a connection counts when its first request, the
// subscription to events, is answered; a question waits for its answer a few seconds, and a transaction's step somewhat longer:
// then the connection is given up, and what became of the transaction is settled by the full one that follows. A dataplane that has
// nothing to answer is asked whether it is there every two seconds.
#pragma once

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "dataplane.pb.h"

namespace sekisho::sync {

class DataplaneClient {
 public:
  struct Handlers {
    std::function<void()> connected;
    std::function<void(const std::string& reason)> disconnected;
    std::function<void(const ipc::Event&)> event;
  };
  // An answer is one Reply, or several for GetRoutes; an error is the dataplane's refusal or the lost
  // connection.
  using Answer = std::function<void(tl::expected<std::vector<ipc::Reply>, std::string>)>;

  struct Patience {
    std::chrono::milliseconds silence = std::chrono::seconds{3};   // until it is said to hang
    std::chrono::milliseconds question = std::chrono::seconds{5};  // for an answer
    std::chrono::milliseconds transaction =
        std::chrono::seconds{20};  // for one of its steps: it may open devices
    std::chrono::milliseconds heartbeat = std::chrono::seconds{2};
  };

  DataplaneClient(boost::asio::io_context& io, std::filesystem::path socket, Handlers handlers,
                  Patience patience = default_patience());
  ~DataplaneClient();
  DataplaneClient(const DataplaneClient&) = delete;
  DataplaneClient& operator=(const DataplaneClient&) = delete;

  void start();  // tries until stopped: the first time at once, then every 100 ms
  void stop();
  [[nodiscard]] bool connected() const noexcept;
  // The kernel has a connection to it, whether or not it has ever answered: it may well forward.
  [[nodiscard]] bool is_there() const noexcept;
  // The kernel has a connection to it, and it does not answer.
  [[nodiscard]] bool hangs() const;
  // Why it cannot be asked anything, as one sentence; empty: it can.
  [[nodiscard]] std::string problem() const;

  void ask(ipc::Request request, Answer answer);
  // Begin, the changes, Commit; the answer is the Commit's. The first refusal ends it.
  void transact(bool full, std::vector<ipc::Change> changes, Answer answer);

 private:
  [[nodiscard]] static Patience default_patience() { return {}; }

  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace sekisho::sync
