// The connection to the dataplane: frames, requests in order, replies and events; connects again by itself
// for as long as it lives. Single-threaded, on the caller's io_context.
#pragma once

#include <boost/asio/io_context.hpp>
#include <filesystem>
#include <functional>
#include <memory>
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
    std::function<void(const api::Event&)> event;
  };
  // An answer is one Reply, or several for GetRoutes; an error is the dataplane's refusal or the lost
  // connection.
  using Answer = std::function<void(tl::expected<std::vector<api::Reply>, std::string>)>;

  DataplaneClient(boost::asio::io_context& io, std::filesystem::path socket, Handlers handlers);
  ~DataplaneClient();
  DataplaneClient(const DataplaneClient&) = delete;
  DataplaneClient& operator=(const DataplaneClient&) = delete;

  void start();  // tries until stopped: the first time at once, then every 100 ms
  void stop();
  [[nodiscard]] bool connected() const noexcept;

  void ask(api::Request request, Answer answer);
  // Begin, the changes, Commit; the answer is the Commit's. The first refusal ends it.
  void transact(bool full, std::vector<api::Change> changes, Answer answer);

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace sekisho::sync
