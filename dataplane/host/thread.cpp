// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/host/thread.hpp"

#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <system_error>

#include "common/base/mac_address.hpp"
#include "dataplane/host/transfer.hpp"

namespace sekisho::host {
namespace {

using namespace std::chrono_literals;

// While something goes on an answer often follows at once; later the wait doubles.
constexpr std::chrono::nanoseconds first_wait = 20us;
constexpr std::chrono::nanoseconds longest_wait = 500us;
constexpr std::chrono::nanoseconds forever = -1ns;

constexpr std::uint16_t usual_mtu = 1500;

auto open_tun(std::uint16_t mtu) {
  return Tap::open(
      {.kind = Tap::Kind::packets, .name = exit_name, .alias = exit_alias, .mtu = mtu, .mac = {}});
}

}  // namespace

Companion::Companion(Thread& thread) : thread_{thread} {
  thread_.attach(*this);
}

Companion::Companion(Thread& thread, Tap tap, std::uint16_t mtu) : thread_{thread} {
  constexpr unsigned overhead = packet::ethernet_header_size + 4;  // a VLAN tag
  device_.emplace(std::move(tap), mtu + overhead);
  thread_.attach(*this);
}

Companion::~Companion() {
  close();
}

void Companion::close() {
  thread_.detach(*this);
}

void Companion::replace_tap(Tap tap) {
  thread_.replace(*device_, std::move(tap));
}

void Companion::set_carrier(bool up) const noexcept {
  if (device_) {
    device_->tap.set_carrier(up);
  }
}

void Companion::keep_mtu(std::uint16_t mtu) const {
  if (device_) {
    device_->tap.keep_mtu(mtu);
  }
}

auto Exit::open(Thread& thread) -> tl::expected<std::unique_ptr<Exit>, std::string> {
  auto tap = open_tun(usual_mtu);
  if (!tap) {
    return tl::unexpected(tap.error());
  }
  return std::unique_ptr<Exit>{new Exit{thread, std::move(*tap)}};
}

Exit::Exit(Thread& thread, Tap tap)
    : thread_{thread}, device_{std::move(tap), packet::ethernet_header_size + usual_mtu} {
  device_.is_tun = true;
  thread_.attach(*this);
}

Exit::~Exit() {
  thread_.detach(*this);
}

auto Exit::adopt(const base::MacAddress& station, std::uint16_t mtu) -> tl::expected<void, std::string> {
  if (has_lost_tun()) {
    auto tap = open_tun(mtu);
    if (!tap) {
      return tl::unexpected(tap.error());
    }
    thread_.replace(device_, std::move(*tap));
  } else if (auto sized = device_.tap.set_mtu(mtu); !sized) {
    return sized;
  }
  thread_.between_rounds([&] {
    std::ranges::copy(station, device_.ethernet.begin());
    device_.longest = static_cast<unsigned>(packet::ethernet_header_size) + mtu;
    rte_pktmbuf_free(std::exchange(device_.spare, nullptr));
  });
  return {};
}

Thread::Thread(rte_mempool* pool)
    : pool_{pool}, epoll_{epoll_create1(EPOLL_CLOEXEC)}, wake_{eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)} {
  epoll_event event{.events = EPOLLIN, .data = {.ptr = nullptr}};
  if (!epoll_.valid() || !wake_.valid() || epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, wake_.get(), &event) != 0) {
    throw std::system_error{errno, std::generic_category(), "the host thread has nothing to wait with"};
  }
}

Thread::~Thread() {
  stop_ = true;
  wake();
  if (thread_.joinable()) {
    thread_.join();
  }
}

void Thread::wake() const noexcept {
  eventfd_write(wake_.get(), 1);
}

void Thread::between_rounds(std::function<void()> change) {
  if (!thread_.joinable()) {
    thread_ = std::thread{[this] { run(); }};
    pthread_setname_np(thread_.native_handle(), "sekisho-host");
  }
  std::packaged_task<void()> task{std::move(change)};
  auto done = task.get_future();
  {
    const std::lock_guard lock{mutex_};
    changes_.push_back(std::move(task));
  }
  wake();
  done.get();
}

void Thread::attach(Companion& companion) {
  between_rounds([&] {
    companions_.push_back(&companion);
    if (companion.device_) {
      watch(*companion.device_);
    }
  });
}

void Thread::detach(Companion& companion) {
  between_rounds([&] {
    empty(companion);
    std::erase(companions_, &companion);
    if (companion.device_) {
      forget(*companion.device_);
    }
  });
}

void Thread::attach(Exit& exit) {
  between_rounds([&] {
    exit_ = &exit;
    watch(exit.device_);
  });
}

void Thread::detach(Exit& exit) {
  between_rounds([&] {
    // Workers give no more packets for it; those that wait would stay for good where no port has a TAP to be served for.
    for (auto* companion : companions_) {
      empty(*companion);
    }
    exit_ = nullptr;
    forget(exit.device_);
  });
}

// Edge-triggered: a device whose ring is full does not wake us again and again.
void Thread::watch(Device& device) {
  epoll_event event{.events = EPOLLIN | EPOLLET, .data = {.ptr = &device}};
  if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, device.tap.fd(), &event) != 0) {
    throw std::system_error{errno, std::generic_category(), "a device cannot be waited for"};
  }
}

void Thread::forget(Device& device) noexcept {
  epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, device.tap.fd(), nullptr);
}

void Thread::replace(Device& device, Tap tap) {
  between_rounds([&] {
    forget(device);
    device.tap = std::move(tap);
    watch(device);
  });
}

void Thread::run_changes() {
  std::vector<std::packaged_task<void()>> changes;
  {
    const std::lock_guard lock{mutex_};
    changes.swap(changes_);
  }
  for (auto& change : changes) {
    change();
  }
}

unsigned Thread::hand_over(Companion& companion) noexcept {
  const Tap* const frames = companion.device_ ? &companion.device_->tap : nullptr;
  const Tap* const packets = exit_ == nullptr ? nullptr : &exit_->device_.tap;
  const auto [taken, refused] = deliver(companion.to_host(), frames, packets);
  companion.refused_.fetch_add(refused, std::memory_order_relaxed);
  return taken;
}

// Of what is in its ring now; a worker may go on giving.
void Thread::empty(Companion& companion) noexcept {
  for (unsigned turns = ring_size / turn; turns > 0 && hand_over(companion) != 0; --turns) {
  }
}

unsigned Thread::serve() {
  unsigned moved = 0;
  for (auto* companion : companions_) {
    moved += hand_over(*companion);
    auto& device = companion->device_;
    if (device && device->readable) {
      moved += collect(*device, pool_);
    }
  }
  if (exit_ != nullptr && exit_->device_.readable) {
    moved += collect(exit_->device_, pool_);
  }
  return moved;
}

void Thread::wait(std::chrono::nanoseconds longest) {
  std::array<epoll_event, 16> events;
  const timespec limit{.tv_sec = 0, .tv_nsec = longest.count()};
  const int count = epoll_pwait2(epoll_.get(), events.data(), static_cast<int>(events.size()),
                                 longest < 0ns ? nullptr : &limit, nullptr);
  for (int i = 0; i < count; ++i) {
    if (auto* const device = static_cast<Device*>(events[i].data.ptr)) {
      device->readable = true;
    } else {
      eventfd_t ignored = 0;
      eventfd_read(wake_.get(), &ignored);
    }
  }
}

void Thread::run() {
  auto pause = first_wait;
  while (!stop_.load(std::memory_order_relaxed)) {
    const bool has_devices = exit_ != nullptr || std::ranges::any_of(companions_, &Companion::has_tap);
    if (!has_devices) {
      wait(forever);
    } else if (serve() != 0) {
      pause = first_wait;
      wait(0ns);
    } else {
      wait(pause);
      pause = std::min(pause * 2, longest_wait);
    }
    run_changes();
  }
}

}  // namespace sekisho::host
