// Round trips between two contexts with Boost.Context's jump_fcontext, to set
// beside `stackhop bench`. Build and run: make bench-peers
//
// jump_fcontext saves the callee-saved registers and the floating-point control
// words, and knows of no collector, scheduler or debugger. A Go coroutine has to
// keep the Go runtime's records true as well.

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include <boost/context/detail/fcontext.hpp>
#include <boost/version.hpp>
#if defined(__SSE__)
#include <xmmintrin.h>
#endif

namespace ctx = boost::context::detail;

// body answers every jump with a jump back.
static void body(ctx::transfer_t t) {
    for (;;) t = ctx::jump_fcontext(t.fctx, t.data);
}

// set_flags puts the floating-point flags of this side where they were when the
// body was made, or makes them differ. Any inexact result makes them differ too.
static void set_flags(bool differ) {
#if defined(__SSE__)
    unsigned clean = _mm_getcsr() & ~static_cast<unsigned>(_MM_EXCEPT_MASK);
    _mm_setcsr(differ ? clean | _MM_EXCEPT_INEXACT : clean);
#else
    (void)differ;
#endif
}

// round_trip returns nanoseconds for one jump into body and back.
static double round_trip(ctx::fcontext_t &f, std::int64_t n, bool differ) {
    set_flags(differ);
    auto begin = std::chrono::steady_clock::now();
    for (std::int64_t i = 0; i < n; i++) f = ctx::jump_fcontext(f, nullptr).fctx;
    std::chrono::duration<double, std::nano> d = std::chrono::steady_clock::now() - begin;
    return d.count() / static_cast<double>(n);
}

static double median(ctx::fcontext_t &f, bool differ) {
    const std::int64_t n = 5'000'000;
    std::vector<double> rounds;
    round_trip(f, n / 10, differ);
    for (int i = 0; i < 9; i++) rounds.push_back(round_trip(f, n, differ));
    std::sort(rounds.begin(), rounds.end());
    return rounds[rounds.size() / 2];
}

int main() {
    const std::size_t size = 64 << 10;
    char *stack = static_cast<char *>(std::aligned_alloc(4096, size));
    if (stack == nullptr) return 1;
    set_flags(false);
    ctx::fcontext_t f = ctx::make_fcontext(stack + size, size, body);
    f = ctx::jump_fcontext(f, nullptr).fctx;

    std::printf("Boost.Context %d.%d jump_fcontext, ns per round trip, median of 9 rounds\n",
                BOOST_VERSION / 100000, BOOST_VERSION / 100 % 1000);
    std::printf("  %-36s %8.1f\n", "both sides with the same MXCSR", median(f, false));
#if defined(__SSE__)
    std::printf("  %-36s %8.1f\n", "sides with different MXCSR", median(f, true));
#endif
    return 0;
}
