// SPDX-License-Identifier: BSD-3-Clause
#include "bench/loss_free/frames.hpp"

#include <pcap/pcap.h>

#include <array>
#include <memory>
#include <stdexcept>

namespace sekisho::bench {

Frames::Frames(const std::filesystem::path& capture) {
  std::array<char, PCAP_ERRBUF_SIZE> error{};
  const std::unique_ptr<pcap_t, decltype(&pcap_close)> file{pcap_open_offline(capture.c_str(), error.data()),
                                                            &pcap_close};
  if (!file)
    throw std::runtime_error{error.data()};
  pcap_pkthdr* header = nullptr;
  const unsigned char* data = nullptr;
  while (pcap_next_ex(file.get(), &header, &data) == 1) {
    if (header->caplen < Stamp::offset + sizeof(Stamp) || header->caplen > RTE_MBUF_DEFAULT_DATAROOM)
      throw std::runtime_error{capture.string() +
                               ": a frame is too short for a stamp, or too long for a buffer"};
    frames_.emplace_back(data, data + header->caplen);
  }
  if (frames_.empty())
    throw std::runtime_error{capture.string() + ": no frames"};
}

}  // namespace sekisho::bench
