// SPDX-License-Identifier: BSD-3-Clause
// sekisho-dataplane: DPDK's environment, the workers on their lcores, and on the main one the writer and its
// server.
#include <rte_launch.h>
#include <spdlog/spdlog.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <exception>
#include <functional>
#include <memory>
#include <new>
#include <stdexcept>
#include <vector>

#include "common/base/memory_reserve.hpp"
#include "common/base/version.hpp"
#include "common/ipc/log.hpp"
#include "common/ipc/service_manager.hpp"
#include "dataplane/environment.hpp"
#include "dataplane/fib/qsbr.hpp"
#include "dataplane/forward/worker.hpp"
#include "dataplane/options.hpp"
#include "dataplane/writer/server.hpp"
#include "dataplane/writer/writer.hpp"

namespace {

using namespace sekisho;
namespace asio = boost::asio;

int run_worker(void* worker) {
  static_cast<forward::Worker*>(worker)->run();
  return 0;
}

// The workers on their lcores, until the end of its life.
class Crew {
 public:
  // The kernel repeats an ARP request after one second and after two, if not sooner: one frame that is lost does not make a host
  // unreachable.
  static constexpr unsigned patience_ms = 2500;

  Crew(fib::Qsbr& qsbr, const Environment& environment, const Options& options)
      : lcores_{environment.lcores()} {
    for (unsigned i = 0; i < lcores_.size(); ++i) {
      workers_.push_back(std::make_unique<forward::Worker>(
          qsbr, forward::Worker::Options{.index = i,
                                         .spin = options.spin,
                                         .sleep_after_us = options.sleep_after_us,
                                         .max_sleep_us = options.max_sleep_us,
                                         .patience_ms = patience_ms}));
    }
  }
  ~Crew() { stop(); }
  Crew(const Crew&) = delete;
  Crew& operator=(const Crew&) = delete;

  void launch() {
    for (std::size_t i = 0; i < lcores_.size(); ++i) {
      if (rte_eal_remote_launch(run_worker, workers_[i].get(), lcores_[i]) != 0) {
        throw std::runtime_error(fmt::format("no worker can be started on CPU {}", lcores_[i]));
      }
    }
  }
  void stop() {
    for (const auto& worker : workers_) {
      worker->stop();
    }
    for (const auto lcore : lcores_) {
      rte_eal_wait_lcore(lcore);
    }
  }
  [[nodiscard]] std::vector<forward::Worker*> workers() const {
    std::vector<forward::Worker*> all;
    for (const auto& worker : workers_) {
      all.push_back(worker.get());
    }
    return all;
  }

 private:
  std::vector<unsigned> lcores_;
  std::vector<std::unique_ptr<forward::Worker>> workers_;
};

// Gives back what the writer's changes left, soon after workers have let go of it.
class Reclaimer {
 public:
  Reclaimer(asio::io_context& io, fib::Qsbr& qsbr) : timer_{io}, qsbr_{qsbr} { wait(); }

 private:
  void wait() {
    timer_.expires_after(std::chrono::milliseconds{qsbr_.pending() == 0 ? 100 : 10});
    timer_.async_wait([this](boost::system::error_code aborted) {
      if (aborted) {
        return;
      }
      qsbr_.poll();
      wait();
    });
  }

  asio::steady_timer timer_;
  fib::Qsbr& qsbr_;
};

void serve(const Options& options) {
  asio::io_context io;
  asio::signal_set signals{io, SIGINT, SIGTERM};
  signals.async_wait([&](boost::system::error_code error, int signal) {
    if (error) {
      return;
    }
    spdlog::info("stopping on signal {}", signal);
    io.stop();
  });

  const Environment environment{options};
  fib::Qsbr qsbr{static_cast<unsigned>(environment.lcores().size())};
  Crew crew{qsbr, environment, options};
  writer::Writer writer{qsbr,
                        crew.workers(),
                        {.pool = environment.pool(),
                         .tables = {.max_extension_tables = options.extension_tables},
                         .lcores = environment.lcores(),
                         .hugepages = environment.hugepages()}};
  const writer::Server server{io, options.socket, writer, {.user = options.socket_user, .group = {}}};
  const Reclaimer reclaimer{io, qsbr};
  crew.launch();
  spdlog::info("sekisho-dataplane {} serves {} with {} worker(s), {} reserved hugepages", base::version(),
               options.socket.native(), environment.lcores().size(),
               environment.hugepages() ? "with" : "without");
  // A grace period ends when every worker has come by: a worker that hangs holds up the proof, as does this thread.
  const ipc::ServiceManager manager{io,
                                    [&qsbr](std::function<void()> alive) { qsbr.retire(std::move(alive)); }};
  io.run();
  crew.stop();
}

}  // namespace

int main(int argc, char** argv) {
  const auto parsed = parse_options(argc, argv);
  if (const auto* const code = std::get_if<int>(&parsed)) {
    return *code;
  }
  const auto& options = std::get<Options>(parsed);
  ipc::set_up_log("sekisho-dataplane", options.log_level, options.log_format);
  base::keep_memory_reserve();
  try {
    serve(options);
  } catch (const std::bad_alloc&) {
    spdlog::error("out of memory");
    return EXIT_FAILURE;
  } catch (const std::exception& error) {
    spdlog::error("{}", error.what());
    return EXIT_FAILURE;
  }
  return EXIT_SUCCESS;
}
