// SPDX-License-Identifier: BSD-3-Clause
// Learns routes from the kernel on a thread of its own: a table of 900,000 that comes at once keeps neither probes waiting nor the
// dataplane.
//
// What is learned is published as a value on the io_context that it was given: at once after a quiet time, then as fast as who takes it
// is done with the one before, and not more often than every 50 ms. What comes in between is in the next one.
//
// Between the kernel and us messages may be lost; then everything is listed again (control/learn/store.hpp). Whether what went is
// gone: control/learn/hold.hpp.
#pragma once

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <tl/expected.hpp>

#include "control/config/config.hpp"
#include "control/route/learned.hpp"

namespace sekisho::learn {

// What of a configuration says what is learned.
struct Settings {
  config::Learning learning;
  std::string frr;  // the instance
  friend bool operator==(const Settings&, const Settings&) = default;
};
// Nothing where no zone asks for it.
[[nodiscard]] auto settings_of(const config::Config& config) -> std::optional<Settings>;

class Learner {
 public:
  using Snapshot = std::shared_ptr<const route::Learned>;
  using Publish = std::function<void(Snapshot)>;

  // `publish` is called on the io_context, which must live longer.
  Learner(boost::asio::io_context& io, Publish publish);
  ~Learner();  // waits for the thread
  Learner(const Learner&) = delete;
  Learner& operator=(const Learner&) = delete;

  // From now on; nothing: nothing is learned any more, and nothing is published. The same as before changes nothing.
  void learn(std::optional<Settings> settings);
  // The first of what learn() leads to, before it is published; the error says why there is none. Waits.
  [[nodiscard]] auto wait_for_first(std::chrono::milliseconds patience)
      -> tl::expected<Snapshot, std::string>;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace sekisho::learn
