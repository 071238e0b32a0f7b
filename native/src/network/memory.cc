#include "memory.h"

#include <new>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace plif {
namespace {

/// Pages of 2 MB, where the system has them: far fewer page faults and address translations.
constexpr std::size_t kHugePage = std::size_t{2} << 20;

}  // namespace

Arena::~Arena() { release(); }

std::byte* Arena::reserve(std::size_t bytes) {
  if (bytes > bytes_ || data_ == nullptr) {
    release();
    const std::size_t alignment = bytes >= kHugePage ? kHugePage : kAlignment;
    const std::size_t size = (bytes / alignment + 1) * alignment;
    data_ = static_cast<std::byte*>(::operator new(size, std::align_val_t(alignment), std::nothrow));
    if (data_ == nullptr) throw OutOfMemory(bytes);
    bytes_ = size;
#if defined(__linux__)
    if (alignment == kHugePage) madvise(data_, size, MADV_HUGEPAGE);  // best effort
#endif
  }
  return data_;
}

void Arena::release() {
  if (data_ == nullptr) return;
  const std::size_t alignment = bytes_ > kHugePage ? kHugePage : kAlignment;
  ::operator delete(data_, std::align_val_t(alignment));
  data_ = nullptr;
  bytes_ = 0;
}

}  // namespace plif
