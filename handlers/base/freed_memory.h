#pragma once
// How much freed memory a program keeps. By default glibc raises its threshold when large buffers are freed, and then keeps
// their memory: a program that once held 100 MB would stay that large.

namespace syncline {

/// Large buffers return to the system when they are freed. Call it first in main.
void ReturnFreedMemory();

}  // namespace syncline
