// Memory resources of the C++ standard library behind plain functions. What cannot be had is std::bad_alloc there, and
// NULL here.
#include <cstddef>
#include <memory_resource>
#include <new>

using std::size_t;
using std::pmr::memory_resource;

namespace {

template <class Resource, class... Arguments>
memory_resource *make(Arguments... arguments) noexcept {
  try {
    return new Resource(arguments...);
  } catch (const std::bad_alloc &) {
    return nullptr;
  }
}

template <class Resource>
void clear(memory_resource *resource) {
  static_cast<Resource *>(resource)->release();
}

}  // namespace

extern "C" {

memory_resource *pmr_monotonic_over(void *buffer, size_t capacity) {
  return make<std::pmr::monotonic_buffer_resource>(buffer, capacity, std::pmr::null_memory_resource());
}

memory_resource *pmr_monotonic() {
  return make<std::pmr::monotonic_buffer_resource>(std::pmr::new_delete_resource());
}

void pmr_release_monotonic(memory_resource *resource) { clear<std::pmr::monotonic_buffer_resource>(resource); }

memory_resource *pmr_unsynchronized_pool() {
  return make<std::pmr::unsynchronized_pool_resource>(std::pmr::new_delete_resource());
}

memory_resource *pmr_synchronized_pool() {
  return make<std::pmr::synchronized_pool_resource>(std::pmr::new_delete_resource());
}

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
