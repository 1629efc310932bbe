// Boost.Interprocess's managed_external_buffer behind plain functions: a best-fit allocator inside a given buffer.
#include <boost/interprocess/managed_external_buffer.hpp>
#include <cstddef>
#include <exception>
#include <new>

using Manager = boost::interprocess::managed_external_buffer;
using std::size_t;

extern "C" {

Manager *manager_make(void *buffer, size_t capacity) {
  try {
    return new Manager(boost::interprocess::create_only, buffer, capacity);
  } catch (const std::exception &) {  // the buffer is too small
    return nullptr;
  }
}

void *manager_alloc(Manager *manager, size_t size) { return manager->allocate(size, std::nothrow); }

void *manager_aligned(Manager *manager, size_t size, size_t align) {
  return manager->allocate_aligned(size, align, std::nothrow);
}

void manager_free(Manager *manager, void *block) { manager->deallocate(block); }

size_t manager_remaining(Manager *manager) { return manager->get_free_memory(); }

int manager_sane(Manager *manager) { return manager->check_sanity(); }

void manager_destroy(Manager *manager) { delete manager; }
}
