// Boost.Pool's simple_segregated_storage, what its pools are made of, as plain functions: equal blocks in one buffer.
#include <boost/pool/simple_segregated_storage.hpp>
#include <cstddef>
#include <new>

using Storage = boost::simple_segregated_storage<std::size_t>;

extern "C" {

Storage *storage_make(void *buffer, std::size_t capacity, std::size_t block_size) {
  auto storage = new (std::nothrow) Storage;
  if (storage) storage->add_block(buffer, capacity, block_size);
  return storage;
}

// That some block is free is malloc's precondition.
void *storage_alloc(Storage *storage) { return storage->empty() ? nullptr : storage->malloc(); }

void storage_free(Storage *storage, void *block) { storage->free(block); }

void storage_destroy(Storage *storage) { delete storage; }
}
