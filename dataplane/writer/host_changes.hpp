// SPDX-License-Identifier: BSD-3-Clause
// What becomes of the kernel's sides: the ports' companions and the exit.
#pragma once

#include "dataplane/writer/configuration.hpp"
#include "dataplane/writer/live.hpp"
#include "dataplane/writer/undo.hpp"

namespace sekisho::writer {

// The TAP that a running port's companion is to have.
[[nodiscard]] auto open_tap(const LivePort& port) -> tl::expected<host::Tap, std::string>;
// A port without its companion would forward and leave the host deaf: it fails instead.
[[nodiscard]] auto give_companion(Live& live, LivePort& port) -> Result;
// When no worker counts for the port any more.
void take_companion(Live& live, LivePort& port);

class HostChanges {
 public:
  HostChanges(Live& live, const Configuration& wanted) : live_{live}, wanted_{wanted} {}

  // Opens the exit, before any route leads there. One that cannot be made refuses nothing: what it is for is dropped as no_exit.
  void publish();
  void undo() { undo_.run(); }

  void publish_queues();
  // When the ports are what they will be, and workers know them.
  void settle();
  // What an earlier process, or a port or an exit that is gone, has left in the kernel.
  void sweep() const;

 private:
  Live& live_;
  const Configuration& wanted_;
  Undo undo_;
};

}  // namespace sekisho::writer
