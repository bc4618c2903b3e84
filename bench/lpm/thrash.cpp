#include "bench/lpm/thrash.hpp"

#include <algorithm>
#include <vector>

#include "bench/environment.hpp"

namespace sekisho::bench {
namespace {

constexpr std::size_t cache_line = 64;
constexpr std::size_t bytes = std::size_t{256} << 20;

}  // namespace

Thrash::Thrash(unsigned cpu)
    : thread_{[cpu](const std::stop_token& stop) {
        pin_to(cpu);
        std::vector<char> memory(bytes);
        while (!stop.stop_requested()) {
          for (std::size_t i = 0; i < memory.size(); i += cache_line) {
            static_cast<volatile char*>(memory.data())[i] = 1;
          }
        }
      }} {}

}  // namespace sekisho::bench
