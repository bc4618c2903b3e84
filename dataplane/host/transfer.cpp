// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/host/transfer.hpp"

#include <rte_mbuf.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "dataplane/forward/diverted.hpp"

namespace sekisho::host {
namespace {

// Enough for 9,000 bytes and more in buffers of 2 KB.
constexpr unsigned max_pieces = 8;

bool write_to(const Tap* tap, const rte_mbuf* frame) noexcept {
  std::array<iovec, max_pieces> pieces;
  int count = 0;
  for (; frame != nullptr; frame = frame->next) {
    if (count == max_pieces) {
      return false;
    }
    pieces[count++] = {.iov_base = rte_pktmbuf_mtod(frame, void*), .iov_len = frame->data_len};
  }
  return tap != nullptr && writev(tap->fd(), pieces.data(), count) > 0;
}

// Buffers with room for `size` bytes, chained; null if there are none.
rte_mbuf* allocate(rte_mempool* pool, unsigned size) noexcept {
  std::array<rte_mbuf*, max_pieces> pieces;
  const unsigned room = rte_pktmbuf_data_room_size(pool) - RTE_PKTMBUF_HEADROOM;
  const unsigned count = std::min((size + room - 1) / room, max_pieces);
  if (rte_pktmbuf_alloc_bulk(pool, pieces.data(), count) != 0) {
    return nullptr;
  }
  for (unsigned i = 1; i < count; ++i) {
    pieces[i]->data_off = RTE_PKTMBUF_HEADROOM;
    pieces[i - 1]->next = pieces[i];
  }
  return pieces[0];
}

// Says how long the frame in a chain of buffers is, and frees those that it does not need.
void set_length(rte_mbuf* frame, unsigned length) noexcept {
  frame->pkt_len = length;
  frame->nb_segs = 1;
  rte_mbuf* last = frame;
  for (;;) {
    last->data_len = static_cast<std::uint16_t>(std::min<unsigned>(length, rte_pktmbuf_tailroom(last)));
    length -= last->data_len;
    if (length == 0 || last->next == nullptr) {
      break;
    }
    last = last->next;
    ++frame->nb_segs;
  }
  rte_pktmbuf_free(std::exchange(last->next, nullptr));
}

// Reads behind `header` free bytes. 0 when there is nothing, or a fault of the device.
unsigned read_into(rte_mbuf* frame, const Tap& tap, unsigned header) noexcept {
  std::array<iovec, max_pieces> pieces;
  int count = 0;
  for (rte_mbuf* piece = frame; piece != nullptr; piece = piece->next) {
    const unsigned skipped = count == 0 ? header : 0;
    pieces[count++] = {.iov_base = rte_pktmbuf_mtod_offset(piece, void*, skipped),
                       .iov_len = rte_pktmbuf_tailroom(piece) - skipped};
  }
  const auto length = readv(tap.fd(), pieces.data(), count);
  return length > 0 ? static_cast<unsigned>(length) : 0;
}

// Not every driver pads, and a frame from the kernel may be an ARP reply of 42 bytes.
void pad(rte_mbuf* frame) noexcept {
  if (frame->pkt_len < packet::ethernet_minimum) {
    const auto missing = static_cast<std::uint16_t>(packet::ethernet_minimum - frame->pkt_len);
    std::memset(rte_pktmbuf_append(frame, missing), 0, missing);
  }
}

}  // namespace

Delivered deliver(rte_ring* ring, const Tap* frames, const Tap* packets) noexcept {
  std::array<rte_mbuf*, turn> taken;
  Delivered done;
  done.taken = rte_ring_dequeue_burst(ring, reinterpret_cast<void**>(taken.data()), turn, nullptr);
  for (unsigned i = 0; i < done.taken; ++i) {
    done.refused += !write_to(forward::is_bare_packet(*taken[i]) ? packets : frames, taken[i]);
  }
  rte_pktmbuf_free_bulk(taken.data(), done.taken);
  return done;
}

unsigned collect(Device& device, rte_mempool* pool) noexcept {
  const unsigned header = device.is_tun ? static_cast<unsigned>(packet::ethernet_header_size) : 0;
  const unsigned room = std::min(turn, rte_ring_free_count(device.received.get()));
  std::array<rte_mbuf*, turn> frames;
  unsigned count = 0;
  while (count < room) {
    rte_mbuf* const frame =
        device.spare != nullptr ? std::exchange(device.spare, nullptr) : allocate(pool, device.longest);
    if (frame == nullptr) {
      break;
    }
    const unsigned length = read_into(frame, device.tap, header);
    if (length == 0) {
      device.spare = frame;
      device.readable = false;
      break;
    }
    set_length(frame, header + length);
    if (device.is_tun) {
      auto* const bytes = rte_pktmbuf_mtod(frame, std::uint8_t*);
      const auto type = bytes[header] >> 4 == 4 ? packet::EtherType::ipv4 : packet::EtherType::ipv6;
      std::memcpy(bytes, device.ethernet.data(), device.ethernet.size());
      packet::store_be16(bytes + 12, static_cast<std::uint16_t>(type));
    }
    pad(frame);
    frames[count++] = frame;
  }
  const unsigned queued =
      rte_ring_enqueue_burst(device.received.get(), reinterpret_cast<void**>(frames.data()), count, nullptr);
  rte_pktmbuf_free_bulk(frames.data() + queued, count - queued);  // none: we alone put in
  return count;
}

}  // namespace sekisho::host
