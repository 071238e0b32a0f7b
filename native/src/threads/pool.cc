#include "pool.h"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <system_error>

#if defined(__linux__)
#include <sched.h>
#endif

namespace plif {
namespace {

using Clock = std::chrono::steady_clock;

/// How long a thread spins when nothing runs. The serial code between two runs is shorter than this; the pause between two
/// steps is longer. While a run lasts, whose other items end soon, it spins a few times longer.
constexpr std::chrono::microseconds kSpin{50};
constexpr std::chrono::microseconds kSpinInRun{200};

inline void pause() {
#if defined(__x86_64__) || defined(_M_X64)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

/// The cores that this process may use.
int countCores() {
#if defined(__linux__)
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof(set), &set) == 0) return CPU_COUNT(&set);
#endif
  return static_cast<int>(std::thread::hardware_concurrency());
}

}  // namespace

/// Lines of `source function threads serial items…`: the processor time in ns that the caller took since the last run,
/// and that each item took.
struct Pool::Trace {
  std::FILE* file;
  std::int64_t last = now();
  std::vector<std::int64_t> items;

  explicit Trace(std::FILE* to) : file(to) {}
  ~Trace() { std::fclose(file); }
  static std::unique_ptr<Trace> open() {
    const char* name = std::getenv("REPRO_TRACE");
    std::FILE* file = name == nullptr ? nullptr : std::fopen(name, "a");
    return file == nullptr ? nullptr : std::make_unique<Trace>(file);
  }
  /// The processor time of this thread.
  static std::int64_t now() {
#if defined(_WIN32)
    return std::chrono::nanoseconds(Clock::now().time_since_epoch()).count();
#else
    timespec time{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return std::int64_t{1000000000} * time.tv_sec + time.tv_nsec;
#endif
  }
  void write(const char* source, const char* function, int threads, std::int64_t begin) {
    std::fprintf(file, "%s %s %d %lld", source, function, threads, static_cast<long long>(begin - last));
    for (const std::int64_t item : items) std::fprintf(file, " %lld", static_cast<long long>(item));
    std::fputc('\n', file);
    last = now();
  }
};

Pool::Pool(int threads) : spins_(threads <= countCores()), trace_(Trace::open()) {
  threads_ = threads;
  if (trace_) return;
  workers_.reserve(threads > 1 ? threads - 1 : 0);  // or a failed allocation would leave threads that run
  try {
    for (int thread = 1; thread < threads; thread++) workers_.emplace_back([this, thread] { waitForWork(thread); });
  } catch (const std::system_error&) {
    // The system has no more threads: fewer are slower, but give the same results.
    threads_ = static_cast<int>(workers_.size()) + 1;
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

// Before a thread sleeps, it registers as a sleeper and checks its condition again, both under the mutex. A thread that
// wakes others changes the condition first, and then checks for sleepers. All of this is sequentially consistent, so at
// least one of the two sees the other.

void Pool::runItems(std::int64_t items, Call call, const void* context, const char* file, const char* function) {
  throwIfAborted();
  const std::int64_t begin = trace_ ? Trace::now() : 0;
  if (trace_) trace_->items.assign(items, 0);
  items_ = items;
  call_ = call;
  context_ = context;
  failure_ = nullptr;
  failed_.store(false, std::memory_order_relaxed);
  done_.store(0, std::memory_order_relaxed);
  running_.store(true, std::memory_order_relaxed);
  left_ = items;
  if (items > 1 && sleepers_ > 0) {
    { const std::lock_guard<std::mutex> lock(mutex_); }
    started_.notify_all();
  }
  takeItems(0);
  const auto allDone = [&] { return done_ == items; };
  if (!spinUntil(allDone)) {
    std::unique_lock<std::mutex> lock(mutex_);
    callerSleeps_ = true;
    finished_.wait(lock, allDone);
    callerSleeps_ = false;
  }
  running_.store(false, std::memory_order_relaxed);
  if (trace_) trace_->write(file, function, threads(), begin);
  if (failure_) std::rethrow_exception(failure_);
  throwIfAborted();
}

void Pool::takeItems(int thread) {
  std::int64_t items = 0;
  std::int64_t taken = 0;
  for (std::int64_t left = left_--; left > 0; left = left_--, taken++) {
    items = items_;
    if (!mustStop() && !failed_.load(std::memory_order_relaxed)) callItem(items - left, thread);
  }
  if (taken > 0 && (done_ += taken) == items && callerSleeps_) {
    { const std::lock_guard<std::mutex> lock(mutex_); }
    finished_.notify_one();
  }
}

void Pool::callItem(std::int64_t item, int thread) {
  try {
    const std::int64_t begin = trace_ ? Trace::now() : 0;
    call_(context_, item, thread);
    if (trace_) trace_->items[item] = Trace::now() - begin;
  } catch (...) {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (!failure_) failure_ = std::current_exception();
    failed_.store(true, std::memory_order_relaxed);
  }
}

void Pool::waitForWork(int thread) {
  const auto ready = [this] { return left_ > 0 || closing_; };
  while (!closing_) {
    if (!spinUntil(ready)) {
      std::unique_lock<std::mutex> lock(mutex_);
      sleepers_++;
      started_.wait(lock, ready);
      sleepers_--;
    }
    if (left_ > 0) takeItems(thread);
  }
}

template <class Ready>
bool Pool::spinUntil(const Ready& ready) const {
  constexpr int kPauses = 16;  // between two looks, which cost others a cache miss
  if (!spins_) return ready();
  const Clock::time_point begin = Clock::now();
  for (Clock::time_point idleSince = begin; !ready();) {
    for (int i = 0; i < kPauses; i++) pause();
    const Clock::time_point now = Clock::now();
    if (running_.load(std::memory_order_relaxed) && now - begin < kSpinInRun) {
      idleSince = now;
    } else if (now - idleSince > kSpin) {
      return false;
    }
  }
  return true;
}

}  // namespace plif
