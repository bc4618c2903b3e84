// SPDX-License-Identifier: BSD-3-Clause
// Sends the probes: each member's at its interval, from a random moment on, so that those of 64 members do not go out at once; and
// tells what became of each. Never waits: all sockets are the loop's. One thread, the loop's.
#pragma once

#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <vector>

#include "control/reach/liveness.hpp"
#include "control/reach/probing.hpp"

namespace sekisho::probe {

class Prober {
 public:
  using Heard = std::function<void(std::uint32_t member, const reach::Sample& sample)>;

  Prober(boost::asio::io_context& io, Heard heard);
  Prober(const Prober&) = delete;
  Prober& operator=(const Prober&) = delete;
  ~Prober();

  // From now on these. One that is the same as before goes on; of one that is not among them nothing more is heard.
  void probe(const std::vector<reach::ProbeOrder>& orders);

 private:
  class Course;  // of one member

  boost::asio::io_context& io_;
  Heard heard_;
  std::minstd_rand random_;
  std::map<std::uint32_t, std::shared_ptr<Course>> courses_;
};

}  // namespace sekisho::probe
