// SPDX-License-Identifier: BSD-3-Clause
// Reads a configuration's files and builds the policy, on a thread of its own: failover and the guard's repair wait for no
// file, however large it is and whether or not its mount answers. A file that does not answer refuses the read, and its thread
// is left behind.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "common/base/detached_read.hpp"
#include "common/base/error.hpp"
#include "control/policy/policy.hpp"
#include "control/reconcile/reading.hpp"

namespace sekisho::reconcile {

// On one thread, the loop's.
class PolicyReader {
 public:
  using Files = std::vector<std::filesystem::path>;
  using Read = std::function<Reading(const ReadingOrder& order)>;
  using Done = std::function<void(const Reading&)>;

  // How long a file may give no sign of life, and how many threads are left behind before a read is refused at once.
  static constexpr std::chrono::seconds patience = base::usual_patience;
  static constexpr std::size_t most_left_behind = 8;

  PolicyReader(boost::asio::io_context& io, Source source, Read read = read_policy,
               std::chrono::milliseconds patience = PolicyReader::patience);
  PolicyReader(const PolicyReader&) = delete;
  PolicyReader& operator=(const PolicyReader&) = delete;
  ~PolicyReader() = default;  // waits for nobody

  // Waits, for a process whose loop does not run yet.
  [[nodiscard]] auto read_now() -> Reading;
  // Calls `done` on the loop with what was read after this call. Requests for one source that come while a read runs share the next one.
  void read(Source source, Done done);
  void read(Done done) { read(source_, std::move(done)); }
  // What is read where nobody names another.
  void use(Source source) { source_ = std::move(source); }
  [[nodiscard]] const Source& source() const noexcept { return source_; }
  // What each read knows of the kernel's interfaces: asked on the loop as the read begins. Without it a read asks the kernel.
  void ask_addresses(std::function<policy::InterfaceAddresses()> ask) { addresses_ = std::move(ask); }
  // Files that each read looks at besides those it reads.
  void look_beside(Files files) { beside_ = std::move(files); }

 private:
  using Attempt = base::DetachedRead<Reading>;

  struct Request {
    Source source;
    Done done;
  };

  void begin();
  void watch(std::chrono::milliseconds pause);
  void end(const Reading& reading);
  [[nodiscard]] auto attempt(const Source& source, std::function<void()> finished)
      -> std::unique_ptr<Attempt>;
  [[nodiscard]] auto too_many_left_behind(const Source& source) -> std::optional<base::Error>;

  boost::asio::io_context& io_;
  boost::asio::steady_timer timer_;
  Source source_;
  Read read_;
  std::chrono::milliseconds patience_;
  std::function<policy::InterfaceAddresses()> addresses_;
  Files beside_;
  std::unique_ptr<Attempt> attempt_;    // that runs
  std::shared_ptr<Handover> handover_;  // the attempt
  std::vector<Request> served_;         // by the attempt that runs; none: it may begin
  std::vector<Request> waiting_;        // for the next
  std::vector<std::weak_ptr<const void>> left_behind_;
  std::shared_ptr<void> alive_ = std::make_shared<int>();
};

}  // namespace sekisho::reconcile
