#pragma once
// The kernels' tests: each compares a kernel with a plain loop in double precision, at sizes that divide nothing.

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>
#include <random>
#include <string>
#include <vector>

#include "../src/kernels/table.h"

namespace plif::test {

/// Registers a test that runs once per instruction set: `static const Register name("title", [](const KernelTable& k) {
/// … });`
using Run = void (*)(const KernelTable&);
struct Register {
  Register(const char* title, Run run);
};

/// Fails the current test if `actual` differs from `expected` by more than `tolerance` · (largest magnitude of
/// `expected`).
void compare(const std::string& what, const float* actual, const std::vector<double>& expected, double tolerance);
/// Fails the current test.
void fail(const std::string& what);
void check(bool holds, const std::string& what);

/// Memory aligned like the engine's, filled with zeros.
template <class T>
class Buffer {
 public:
  explicit Buffer(std::size_t count)
      : count_(count),
        data_(static_cast<T*>(::operator new[]((count + 16) * sizeof(T), std::align_val_t(kAlignment)))) {
    for (std::size_t i = 0; i < count + 16; i++) data_[i] = T{};
  }
  ~Buffer() { ::operator delete[](data_, std::align_val_t(kAlignment)); }
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  T* data() { return data_; }
  const T* data() const { return data_; }
  std::size_t size() const { return count_; }
  T& operator[](std::size_t i) { return data_[i]; }
  const T& operator[](std::size_t i) const { return data_[i]; }

 private:
  std::size_t count_;
  T* data_;
};

}  // namespace plif::test
