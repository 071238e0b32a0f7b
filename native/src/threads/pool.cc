#include "pool.h"

#include <system_error>

namespace plif {

Pool::Pool(int threads) {
  workers_.reserve(threads > 1 ? threads - 1 : 0);  // or a failed allocation would leave threads that run
  try {
    for (int thread = 1; thread < threads; thread++) workers_.emplace_back([this, thread] { waitForWork(thread); });
  } catch (const std::system_error&) {
    // The system has no more threads: fewer are slower, but give the same results.
  }
}

Pool::~Pool() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    closing_ = true;
  }
  started_.notify_all();
  for (std::thread& worker : workers_) worker.join();
}

void Pool::runItems(std::int64_t items, Call call, const void* context) {
  throwIfAborted();
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    items_ = items;
    call_ = call;
    context_ = context;
    next_.store(0, std::memory_order_relaxed);
    failure_ = nullptr;
    busy_ = static_cast<int>(workers_.size());
    round_++;
  }
  started_.notify_all();
  takeItems(0);
  std::exception_ptr failure;
  {
    std::unique_lock<std::mutex> lock(mutex_);
    finished_.wait(lock, [this] { return busy_ == 0; });
    failure = failure_;
  }
  if (failure) std::rethrow_exception(failure);
  throwIfAborted();
}

void Pool::takeItems(int thread) {
  try {
    while (!mustStop()) {
      const std::int64_t item = next_.fetch_add(1, std::memory_order_relaxed);
      if (item >= items_) return;
      call_(context_, item, thread);
    }
  } catch (...) {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (!failure_) failure_ = std::current_exception();
    next_.store(items_, std::memory_order_relaxed);
  }
}

void Pool::waitForWork(int thread) {
  std::uint64_t seen = 0;
  for (;;) {
    {
      std::unique_lock<std::mutex> lock(mutex_);
      started_.wait(lock, [&] { return closing_ || round_ != seen; });
      if (closing_) return;
      seen = round_;
    }
    takeItems(thread);
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      busy_--;
    }
    finished_.notify_one();
  }
}

}  // namespace plif
