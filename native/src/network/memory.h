#pragma once
// The memory of a network's activations: planned for a batch size and a number of steps, allocated in one piece, and
// kept.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <stdexcept>
#include <vector>

#include "../kernels/layout.h"

namespace plif {

/// Memory ran out; `bytes` were needed.
struct OutOfMemory : std::runtime_error {
  explicit OutOfMemory(std::size_t bytes) : std::runtime_error("out of memory"), bytes(bytes) {}
  std::size_t bytes;
};

/// Hands out aligned pieces, one after the other. Without a base it only adds them up: the same code measures and
/// places.
class Planner {
 public:
  explicit Planner(std::byte* base = nullptr) : base_(base) {}

  template <class T>
  T* take(std::size_t count) {
    const std::size_t start = used_;
    const std::size_t bytes = (multiply(count, sizeof(T)) + kAlignment - 1) / kAlignment * kAlignment;
    if (bytes > kMost - used_) throw OutOfMemory(kMost);
    used_ += bytes;
    return base_ == nullptr ? nullptr : reinterpret_cast<T*>(base_ + start);
  }

  /// Like `take`, for memory that must start as zeros; `zeroed` lists these pieces.
  template <class T>
  T* takeZeroed(std::size_t count) {
    const std::size_t start = used_;
    T* piece = take<T>(count);
    zeroed_.push_back({start, used_ - start});
    return piece;
  }

  struct Range {
    std::size_t start, bytes;
  };
  const std::vector<Range>& zeroed() const { return zeroed_; }
  std::size_t used() const { return used_; }

  /// a · b. @throws OutOfMemory if that is beyond any memory
  static std::size_t multiply(std::size_t a, std::size_t b) {
    if (b != 0 && a > kMost / b) throw OutOfMemory(kMost);
    return a * b;
  }

 private:
  static constexpr std::size_t kMost = sizeof(std::size_t) == 8 ? std::numeric_limits<std::size_t>::max() >> 8
                                                                : std::numeric_limits<std::size_t>::max() - kAlignment;
  std::byte* base_;
  std::size_t used_ = 0;
  std::vector<Range> zeroed_;
};

/// One allocation that grows when it must.
class Arena {
 public:
  Arena() = default;
  ~Arena();
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  /// Memory of at least `bytes`, whatever it contains; what was there before is lost. @throws OutOfMemory
  std::byte* reserve(std::size_t bytes);
  std::byte* data() const { return data_; }
  void release();

 private:
  std::byte* data_ = nullptr;
  std::size_t bytes_ = 0;
};

/// An aligned array of its own, zeroed: parameters and their moments.
template <class T>
class Array {
 public:
  Array() = default;
  explicit Array(std::size_t count) { resize(count); }
  void resize(std::size_t count) {
    count_ = count;
    data_ = reinterpret_cast<T*>(arena_.reserve(Planner::multiply(count, sizeof(T))));
    std::fill(data_, data_ + count, T{});
  }
  T* data() { return data_; }
  const T* data() const { return data_; }
  std::size_t size() const { return count_; }
  T& operator[](std::size_t i) { return data_[i]; }
  const T& operator[](std::size_t i) const { return data_[i]; }

 private:
  Arena arena_;
  T* data_ = nullptr;
  std::size_t count_ = 0;
};

}  // namespace plif
