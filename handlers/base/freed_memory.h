#pragma once
// How much freed memory a program keeps. By default glibc raises its mmap threshold when large buffers are
// freed, and then keeps their memory: a program that once held 100 MB would stay that large.

namespace syncline {

/// Makes large buffers return to the system when they are freed. Call it first in main.
void ReturnFreedMemory();

}  // namespace syncline
