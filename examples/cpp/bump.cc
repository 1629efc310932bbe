// A memory resource of one's own, and what heaplaw needs to call it.
#include <cstddef>
#include <cstdint>
#include <memory_resource>
#include <new>

// Blocks follow each other in a buffer, and end all at once. Offset: what counts the bytes.
template <class Offset>
class Bump final : public std::pmr::memory_resource {
 public:
  Bump(void *buffer, std::size_t capacity) : begin_(reinterpret_cast<std::uintptr_t>(buffer)), capacity_(capacity) {}
  void release() { used_ = 0; }
  std::size_t remaining() const { return capacity_ - used_; }

 private:
  void *do_allocate(std::size_t size, std::size_t align) override {
    const std::size_t padding = -(begin_ + used_) % align;
    if (padding > remaining() || size > remaining() - padding) throw std::bad_alloc();
    used_ += padding + size;
    return reinterpret_cast<void *>(begin_ + used_ - size);
  }
  void do_deallocate(void *, std::size_t, std::size_t) override {}
  bool do_is_equal(const memory_resource &other) const noexcept override { return this == &other; }

  std::uintptr_t begin_;
  std::size_t capacity_;
  Offset used_ = 0;
};

// The shim: plain functions, and NULL in place of std::bad_alloc.
using Judged = Bump<std::uint32_t>;

extern "C" {

Judged *bump_create(void *buffer, std::size_t capacity) { return new (std::nothrow) Judged(buffer, capacity); }

void bump_destroy(Judged *bump) { delete bump; }

void *bump_allocate(Judged *bump, std::size_t size, std::size_t align) noexcept {
  try {
    return bump->allocate(size, align);
  } catch (const std::bad_alloc &) {
    return nullptr;
  }
}

void bump_release(Judged *bump) { bump->release(); }

std::size_t bump_remaining(const Judged *bump) { return bump->remaining(); }
}
