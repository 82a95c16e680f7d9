#pragma once
// Whether this program runs with the address sanitizer: it reserves the whole address space, and a thousand of its threads are
// more than two processors get through.
namespace syncline::tests {

inline constexpr bool kIsSanitized =
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
    true;
#else
    false;
#endif
#else
    false;
#endif

}  // namespace syncline::tests
