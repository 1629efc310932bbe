"""Reference allocators and collectors as pure step functions, and the classes that wrap them."""
