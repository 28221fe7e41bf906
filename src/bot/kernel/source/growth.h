/* Compound growth per 365 days of four accounts at a time, to the last bit of the exact one (statistics/growth.py).

   Doubled: in each lane the sum of two float64 of which the second is below the last place of the first, so that some 104 bits
   are right. Where all values within the bound of its error round to one float64, so does the exact growth. */
#ifndef CARRYGRID_GROWTH_H
#define CARRYGRID_GROWTH_H
#include "numbers.h"
#if defined(__x86_64__) && defined(__FMA__)
#include <immintrin.h>
#endif

#define YEAR_MS 31536000000.0
#define HALVINGS 8 /* of an exponent before its series, undone by as many squarings */
#define MOST_EXPONENT 500.0
#define DOUBT 0x1p-90 /* two hundred times the largest error that was seen, in units of what grows */

typedef struct { Four h, l; } Doubled;

static inline Doubled doubled(double h, double l) { return (Doubled){all_of(h), all_of(l)}; }
/* Return a * b + c, rounded once. */
static inline Four fused(Four a, Four b, Four c) {
#if defined(__x86_64__) && defined(__FMA__)
    return _mm256_fmadd_pd(a, b, c);
#else
    return (Four){fma(a[0], b[0], c[0]), fma(a[1], b[1], c[1]), fma(a[2], b[2], c[2]), fma(a[3], b[3], c[3])};
#endif
}
/* Return a + b, the first the larger one. */
static inline Doubled quick_sum(Four a, Four b) {
    Four sum = a + b;
    return (Doubled){sum, b - (sum - a)};
}
static inline Doubled add_doubled(Doubled a, Doubled b) {
    Four sum = a.h + b.h, part = sum - a.h, rest = (a.h - (sum - part)) + (b.h - part);
    return quick_sum(sum, rest + (a.l + b.l));
}
static inline Doubled mul_doubled(Doubled a, Doubled b) {
    Four product = a.h * b.h;
    return quick_sum(product, fused(a.h, b.h, -product) + (a.h * b.l + a.l * b.h));
}
static inline Doubled quotient_doubled(Four a, Four b) {
    Four quotient = a / b;
    return quick_sum(quotient, fused(-quotient, b, a) / b);
}
static inline Doubled times_power(Doubled x, Four power) { return (Doubled){x.h * power, x.l * power}; }

/* Return e**x - 1 for x within MOST_EXPONENT: of a small part of x by its series, then squared, and times a power of two. */
static inline Doubled expm1_doubled(Doubled x) {
    Four k = x.h * 0x1.71547652b82fep0 + ROUNDER - ROUNDER, power = (Four)(((Mask)(k + ROUNDER) - bits_of(ROUNDER) + 1023) << 52);
    Doubled whole = mul_doubled((Doubled){-k, all_of(0)}, doubled(0x1.62e42fefa39efp-1, 0x1.abc9e3b39803fp-56));
    Doubled r = times_power(add_doubled(x, whole), all_of(1.0 / (1 << HALVINGS)));
    Four s = r.h, fifth = s * (1 / 120.0 + s * (1 / 720.0 + s * (1 / 5040.0 + s * (1 / 40320.0 + s * (1 / 362880.0)))));
    Doubled sum = mul_doubled(r, add_doubled(doubled(0x1.5555555555555p-5, 0x1.5555555555555p-59), (Doubled){fifth, all_of(0)}));
    sum = mul_doubled(r, add_doubled(doubled(0x1.5555555555555p-3, 0x1.5555555555555p-57), sum));
    sum = mul_doubled(r, add_doubled(doubled(0.5, 0), sum));
    sum = add_doubled(r, mul_doubled(r, sum));
    for (int i = 0; i < HALVINGS; i++) sum = add_doubled(times_power(sum, all_of(2)), mul_doubled(sum, sum));
    /* In two parts: less 1, powers beyond 2**53 are no float64. */
    return add_doubled(add_doubled((Doubled){power, all_of(0)}, doubled(-1, 0)), times_power(sum, power));
}

/* Return ln(x) from `near`, the float64 nearest to it, by one step of Newton's method. */
static inline Doubled log_doubled(Doubled x, Four near) {
    Doubled inverse = add_doubled(doubled(1, 0), expm1_doubled((Doubled){-near, all_of(0)}));
    Doubled rest = add_doubled(mul_doubled(x, inverse), doubled(-1, 0));
    return add_doubled((Doubled){near, all_of(0)}, rest);
}

/* Write the growth of four accounts, NAN of a lost one and in no time, and of each whether it is certain. */
static void growths(const double *initial, const double *finals, double elapsed_ms, double *growth, int *certain) {
    Four from = four_of(initial), to = four_of(finals), near;
    for (int k = 0; k < FOUR; k++) near[k] = to[k] > 0 ? log(to[k] / from[k]) : 0;
    Doubled years = quotient_doubled(all_of(YEAR_MS), all_of(elapsed_ms > 0 ? elapsed_ms : 1));
    Doubled exponent = mul_doubled(log_doubled(quotient_doubled(to, from), near), years);
    Mask usual = size_of(exponent.h) < MOST_EXPONENT;
    exponent = (Doubled){kept(usual, exponent.h), kept(usual, exponent.l)};
    Doubled grown = expm1_doubled(exponent);
    Four doubt = DOUBT * (1 + size_of(exponent.h) + years.h) * (2 + grown.h);
    Four low = grown.h + (grown.l - doubt), high = grown.h + (grown.l + doubt);
    for (int k = 0; k < FOUR; k++) {
        int lost = elapsed_ms <= 0 || to[k] <= 0, still = to[k] == from[k];
        growth[k] = lost ? NAN : still ? 0 : low[k];
        certain[k] = lost || still || (usual[k] && low[k] == high[k]);
    }
}
#endif
