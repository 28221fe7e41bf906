/* Ask the processor itself what it can run: __builtin_cpu_supports answers no in what `zig cc` builds. */
#include "processor.h"

Processor carrygrid_processor;

#if defined(__x86_64__)
#include <cpuid.h>

/* Return whether the operating system keeps the wide registers as well: bits 1 and 2 of XCR0. */
static int keeps_wide_registers(void) {
    unsigned saved, high;
    __asm__("xgetbv" : "=a"(saved), "=d"(high) : "c"(0));
    return (saved & 6) == 6;
}

__attribute__((constructor)) static void ask_processor(void) {
    unsigned a, b, c, d;
    if (!__get_cpuid(1, &a, &b, &c, &d)) return;
    const int fma = c >> 12 & 1, saves_registers = c >> 27 & 1;
    if (!__get_cpuid_count(7, 0, &a, &b, &c, &d)) return;
    const int avx2 = b >> 5 & 1, bmi2 = b >> 8 & 1;
    carrygrid_processor.sha = b >> 29 & 1;
    carrygrid_processor.v3 = fma && avx2 && bmi2 && saves_registers && keeps_wide_registers();
}
#endif
