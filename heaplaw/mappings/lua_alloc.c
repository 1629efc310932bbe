/* What the Lua manual asks of a lua_Alloc, said with realloc and free. */
#include <stdlib.h>

void *lua_realloc(void *ud, void *ptr, size_t osize, size_t nsize) {
  (void)ud, (void)osize;
  if (nsize > 0) return realloc(ptr, nsize);
  free(ptr);
  return NULL;
}
