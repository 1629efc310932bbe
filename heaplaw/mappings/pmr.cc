// Memory resources of the C++ standard library behind plain functions. What cannot be had is std::bad_alloc there, and
// NULL here.
#include <cstddef>
#include <cstdlib>
#include <memory_resource>
#include <new>

using std::size_t;
using std::pmr::memory_resource;

namespace {

// What the resources get their memory from: the C library. Not operator new, whose own faults would be seen as theirs.
class Upstream final : public memory_resource {
  void *do_allocate(size_t size, size_t align) override {
    void *block = std::aligned_alloc(align, size);
    if (!block) throw std::bad_alloc();
    return block;
  }
  void do_deallocate(void *block, size_t, size_t) override { std::free(block); }
  bool do_is_equal(const memory_resource &other) const noexcept override { return this == &other; }
};

Upstream upstream;

template <class Resource, class... Arguments>
memory_resource *make(Arguments... arguments) noexcept {
  try {
    return new Resource(arguments...);
  } catch (const std::bad_alloc &) {
    return nullptr;
  }
}

}  // namespace

extern "C" {

memory_resource *pmr_monotonic_over(void *buffer, size_t capacity) {
  return make<std::pmr::monotonic_buffer_resource>(buffer, capacity, std::pmr::null_memory_resource());
}

memory_resource *pmr_monotonic() { return make<std::pmr::monotonic_buffer_resource>(&upstream); }

void pmr_release_monotonic(memory_resource *resource) {
  static_cast<std::pmr::monotonic_buffer_resource *>(resource)->release();
}

memory_resource *pmr_unsynchronized_pool() { return make<std::pmr::unsynchronized_pool_resource>(&upstream); }

memory_resource *pmr_synchronized_pool() { return make<std::pmr::synchronized_pool_resource>(&upstream); }

void *pmr_allocate(memory_resource *resource, size_t size, size_t align) noexcept {
  try {
    return resource->allocate(size, align);
  } catch (const std::bad_alloc &) {
    return nullptr;
  }
}

void pmr_deallocate(memory_resource *resource, void *ptr, size_t size, size_t align) {
  resource->deallocate(ptr, size, align);
}

void pmr_destroy(memory_resource *resource) { delete resource; }
}
