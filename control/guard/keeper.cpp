#include "control/guard/keeper.hpp"

#include <spdlog/spdlog.h>

#include <chrono>
#include <utility>

#include "control/guard/table.hpp"

namespace sekisho::guard {
namespace {

// How long a lock may be missing after the kernel has refused it.
constexpr std::chrono::seconds retry_after{1};

}  // namespace

Keeper::Keeper(boost::asio::io_context& io) : retry_(io) {}

auto Keeper::open(boost::asio::io_context& io) -> tl::expected<std::unique_ptr<Keeper>, std::string> {
  auto keeper = std::unique_ptr<Keeper>(new Keeper(io));
  keeper->found_ = installed().value_or(remembered());
  keeper->wanted_ = keeper->found_;
  // The watch first: what somebody changes after the table was written is not missed.
  auto watch = Watch::nftables(io, [self = keeper.get()] { self->look(); });
  if (!watch) {
    return tl::unexpected(std::move(watch.error()));
  }
  keeper->tables_ = std::move(*watch);
  if (auto done = keeper->install_wanted(); !done) {
    return tl::unexpected(std::move(done.error()));
  }
  return keeper;
}

auto Keeper::close(Guard wanted) -> tl::expected<void, std::string> {
  wanted = remember(wanted_, std::move(wanted));
  if (wanted != std::exchange(wanted_, wanted)) {
    return install_wanted();
  }
  return failure_.empty() ? tl::expected<void, std::string>() : tl::unexpected(failure_);
}

auto Keeper::install_wanted() -> tl::expected<void, std::string> {
  auto done = install(wanted_);
  auto failure = done ? std::string{} : done.error();
  if (!failure.empty() && failure != failure_) {
    spdlog::error("the kernel may forward in our stead: {}", failure);
  }
  failure_ = std::move(failure);
  if (!done) {
    retry_.expires_after(retry_after);
    retry_.async_wait([this](const boost::system::error_code& error) {
      if (!error) {
        look();
      }
    });
  }
  return done;
}

void Keeper::look() {
  if (const auto now = installed(); now && *now == wanted_) {
    return;
  }
  if (install_wanted()) {
    spdlog::warn("somebody removed or changed the guard in nftables; it is back");
  }
}

}  // namespace sekisho::guard
