/* Exact numbers of the kernel, and their rounding to booked amounts (8 places, half-even).

   Span      whole float64 h over 10**p: what one hedge meets at one event
   UnitFlow  the same in two parts, up to 63 bits: cash that a settlement moves on a short of one unit
   Booked    whole float64 in units of 1e-8
   Side      +1 of a long leg, -1 of a short one
   Wide      128-bit whole over 10**places: what is worked out once an entry or an exit
   Near      float64 over 10**places, nearly that number: what is booked from it is certain, or not told
   Exact     both of them
   Term      the same once an account: every step is checked, and `fits` becomes 0 where one leaves its range

   A float64 estimates each quotient; the residual, exact by one fused multiply-add or modulo 2**128, settles
   it. Nothing that is replayed is divided in 128 bits. Bounds that make this exact are checked once an entry (orders.h). */
#ifndef CARRYGRID_NUMBERS_H
#define CARRYGRID_NUMBERS_H
#include <math.h>
#include <stdint.h>
#include <string.h>
#if defined(__AVX2__) && defined(__FMA__)
#include <immintrin.h>
#endif

typedef __int128 i128;
typedef unsigned __int128 u128;
typedef int64_t i64;
typedef int32_t i32;
/* Four numbers, each of its own lane; masks are -1 where a comparison holds, else 0. */
typedef double Four __attribute__((vector_size(32)));
typedef i64 Mask __attribute__((vector_size(32)));
#define FOUR 4

typedef struct { double h; i64 p; } Span;
typedef struct { double h, l; i64 p; } UnitFlow;
typedef struct { double h; } Booked;
typedef struct { i128 m; i64 p; } Wide;
typedef struct { double h; i64 p; } Near;
typedef struct { Wide wide; Near near; } Exact;
typedef struct { i128 m; i64 p; int *fits; } Term;
typedef struct { int one; } Side;
/* Products and quotients that are not rounded yet. */
typedef struct { double a, b; i64 p; } SpanProduct;
typedef struct { double a, b, l; i64 p; } FlowProduct;
typedef struct { i128 n, d; i64 p; } WideQuotient;

#define MONEY_PLACES 8
#define MOST_PLACES 36
#define EXACT_SUMS 4503599627370496.0 /* 2**52: sums of whole float64 stay exact below it */

static const double SCALE[MOST_PLACES + 1] = {
    1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18,
    1e19, 1e20, 1e21, 1e22, 1e23, 1e24, 1e25, 1e26, 1e27, 1e28, 1e29, 1e30, 1e31, 1e32, 1e33, 1e34, 1e35, 1e36};
/* 1 / SCALE, to the nearest float64. */
static const double TENTH[MOST_PLACES + 1] = {
    1e0,   1e-1,  1e-2,  1e-3,  1e-4,  1e-5,  1e-6,  1e-7,  1e-8,  1e-9,  1e-10, 1e-11, 1e-12, 1e-13, 1e-14, 1e-15, 1e-16, 1e-17, 1e-18,
    1e-19, 1e-20, 1e-21, 1e-22, 1e-23, 1e-24, 1e-25, 1e-26, 1e-27, 1e-28, 1e-29, 1e-30, 1e-31, 1e-32, 1e-33, 1e-34, 1e-35, 1e-36};
static const i64 TEN[19] = {
    1LL, 10LL, 100LL, 1000LL, 10000LL, 100000LL, 1000000LL, 10000000LL, 100000000LL, 1000000000LL, 10000000000LL,
    100000000000LL, 1000000000000LL, 10000000000000LL, 100000000000000LL, 1000000000000000LL,
    10000000000000000LL, 100000000000000000LL, 1000000000000000000LL};

static inline Four four_of(const double *x) {
    Four found;
    memcpy(&found, x, sizeof found);
    return found;
}
static inline void put_four(double *to, Four x) { memcpy(to, &x, sizeof x); }
/* The numbers where a mask holds, else 0. */
static inline Four kept(Mask mask, Four x) { return (Four)(mask & (Mask)x); }
static inline Mask first_lanes(i64 count) { return (Mask){0, 1, 2, 3} < (Mask){count, count, count, count}; }
static inline Four all_of(double x) { return (Four){x, x, x, x}; }
static inline Four size_of(Four x) { return (Four)((Mask)x & INT64_MAX); }
/* The sizes of x with the signs of y. */
static inline Four with_sign(Four x, Four y) { return (Four)(((Mask)x & INT64_MAX) | ((Mask)y & INT64_MIN)); }
static inline int any_lane(Mask mask) {
#if defined(__AVX2__)
    return _mm256_movemask_pd((__m256d)mask) != 0;
#else
    return (mask[0] | mask[1] | mask[2] | mask[3]) != 0;
#endif
}
static inline Four least_of(Four x, Four y) {
#if defined(__AVX2__)
    return _mm256_min_pd(x, y);
#else
    Mask less = x < y;
    return (Four)((less & (Mask)x) | (~less & (Mask)y));
#endif
}
static inline Four most_of(Four x, Four y) {
#if defined(__AVX2__)
    return _mm256_max_pd(x, y);
#else
    Mask more = x > y;
    return (Four)((more & (Mask)x) | (~more & (Mask)y));
#endif
}
/* Return sum + a * b of numbers whose product is exact, so that rounding once or twice is the same. */
static inline Four plus_product(Four sum, Four a, Four b) {
#if defined(__AVX2__) && defined(__FMA__)
    return _mm256_fmadd_pd(a, b, sum);
#else
    return sum + a * b;
#endif
}
static inline i128 ten(i64 power) { return power <= 18 ? (i128)TEN[power] : (i128)TEN[18] * TEN[power - 18]; }
static inline Span span_of(double whole, i64 places) { return (Span){whole, places}; }
static inline Wide wide_of(i64 whole, i64 places) { return (Wide){whole, places}; }
static inline double float_of(i128 x) {
    return (double)(i64)(x >> 64) * 18446744073709551616.0 + (double)(uint64_t)x;
}

/* Return what 1e-8 is over a scale of 8 to 23 places, and nearly what one divided by it is. */
static inline double unit_of(i64 places) { return SCALE[places - MONEY_PLACES]; }
static inline double tenth_of(i64 places) { return TENTH[places - MONEY_PLACES]; }
static inline SpanProduct mul_spans(Span a, Span b) {
    return (SpanProduct){a.h, b.h, a.p + b.p};
}
static inline FlowProduct mul_flow(UnitFlow a, Span b) {
    return (FlowProduct){b.h, a.h, a.l, a.p + b.p};
}
static inline Span sub_spans(Span a, Span b) {
    i64 p = a.p > b.p ? a.p : b.p;
    return (Span){a.h * SCALE[p - a.p] - b.h * SCALE[p - b.p], p};
}
static inline Booked add_booked(Booked a, Booked b) { return (Booked){a.h + b.h}; }
static inline Booked sub_booked(Booked a, Booked b) { return (Booked){a.h - b.h}; }

/* 1.5 * 2**52: what it is added to, below 2**51, is rounded to a whole number, half to even, whose last bit is that of the sum. */
#define ROUNDER 0x1.8p52
static inline i64 bits_of(double x) {
    i64 bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}
static inline double of_bits(i64 bits) {
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}
/* Return (q + e) / 1e-8 over `places`: a tie (rest of one half) goes up where the estimate is odd, since one half is then
   compared as the float64 before it. Exact while the quotient is below 1e15 and the unit at most 1e15. */
static inline Booked settled(double q, double e, i64 places) {
    double unit = unit_of(places), half = unit * 0.5;
    double sum = q * tenth_of(places) + ROUNDER, r = sum - ROUNDER, rest = fma(-r, unit, q) + e;
    double up = of_bits(bits_of(half) - (bits_of(sum) & 1));
    return (Booked){r + (fabs(rest) > up ? copysign(1.0, rest) : 0.0)};
}
static inline Booked book_spans(SpanProduct x) {
    double q = x.a * x.b;
    return settled(q, fma(x.a, x.b, -q), x.p);
}
static inline Booked book_flow(FlowProduct x) {
    double q = x.a * x.b;
    return settled(q, fma(x.a, x.b, -q) + x.a * x.l, x.p);
}

static inline Wide mul_wide(Wide a, Wide b) { return (Wide){a.m * b.m, a.p + b.p}; }
static inline Wide add_wide(Wide a, Wide b) {
    return a.p >= b.p ? (Wide){a.m + b.m * ten(a.p - b.p), a.p} : (Wide){a.m * ten(b.p - a.p) + b.m, b.p};
}
static inline Wide sub_wide(Wide a, Wide b) { return add_wide(a, (Wide){-b.m, b.p}); }
static inline WideQuotient div_wide(Wide a, Wide b) {
    return b.p >= a.p ? (WideQuotient){a.m * ten(b.p - a.p), b.m, 0} : (WideQuotient){a.m, b.m, a.p - b.p};
}
/* Return n / d, d > 0, rounded half-even, from an estimate that is a few units off. */
static inline i64 half_even(i128 n, i128 d, double estimate) {
    i64 r = (i64)estimate;
    i128 rest = n - (i128)r * d;
    while (rest < 0) { r--; rest += d; }
    while (rest >= d) { r++; rest -= d; }
    return r + (rest + rest + (r & 1) > d);
}
static inline Wide book_wide(Wide a) {
    if (a.p <= MONEY_PLACES) return (Wide){a.m * ten(MONEY_PLACES - a.p), MONEY_PLACES};
    return (Wide){half_even(a.m, ten(a.p - MONEY_PLACES), float_of(a.m) * TENTH[a.p - MONEY_PLACES]), MONEY_PLACES};
}
static inline Wide book_quotient(WideQuotient a) {
    if (a.p <= MONEY_PLACES) a.n *= ten(MONEY_PLACES - a.p);
    else a.d *= ten(a.p - MONEY_PLACES);
    return (Wide){half_even(a.n, a.d, float_of(a.n) / float_of(a.d)), MONEY_PLACES};
}

/* Products and quotients of a few whole numbers: off by less than 2**-50 of themselves, scaled to money units as well. */
static inline Near mul_near(Near a, Near b) { return (Near){a.h * b.h, a.p + b.p}; }
static inline Near quo_near(Near a, Near b) { return (Near){a.h / b.h, a.p - b.p}; }
/* Return the amount, NAN where it is as close to a tie as the number may be off. */
static inline Booked book_near(Near a) {
    double units = a.p < MONEY_PLACES ? a.h * SCALE[MONEY_PLACES - a.p] : a.h * tenth_of(a.p), r = units + ROUNDER - ROUNDER;
    return (Booked){fabs(units - r) < 0.5 - fabs(units) * 0x1p-50 ? r : NAN};
}
static inline int is_certain(Booked a) { return a.h == a.h; }
static inline Exact exact_of(i64 whole, i64 places) { return (Exact){wide_of(whole, places), (Near){(double)whole, places}}; }
static inline Exact mul_exact(Exact a, Exact b) { return (Exact){mul_wide(a.wide, b.wide), mul_near(a.near, b.near)}; }

/* Return n / d, d > 0, as the nearest float64, half to even. */
static inline double nearest_quotient(i128 n, i64 d) {
    if (n == 0) return 0;
    u128 size = n < 0 ? -(u128)n : (u128)n;
    uint64_t high = (uint64_t)(size >> 64);
    int lift = high ? __builtin_clzll(high) : 64 + __builtin_clzll((uint64_t)size);
    u128 lifted_size = size << lift, quotient = lifted_size / (u128)d;
    /* Its 64 bits or more are rounded once: a rest counts below all of them. */
    double found = ldexp((double)(quotient | (quotient * (u128)d != lifted_size)), -lift);
    return n < 0 ? -found : found;
}

static i128 times(i128 a, i128 b, int *fits) {
    if (fabs(float_of(a)) * fabs(float_of(b)) < 8e37) return a * b;
    *fits = 0;
    return 0;
}
static i128 lifted(i128 a, i64 power, int *fits) {
    if (power >= 0 && power <= MOST_PLACES) return times(a, ten(power), fits);
    *fits = 0;
    return 0;
}
static const Term ONE_term = {1, 0, 0}; /* takes the `fits` of what it meets */
static const double ONE_rough = 1;
static inline int *fits_of(Term a, Term b) { return a.fits ? a.fits : b.fits; }
static inline Term mul_term(Term a, Term b) {
    int *fits = fits_of(a, b);
    return (Term){times(a.m, b.m, fits), a.p + b.p, fits};
}
static inline Term add_term(Term a, Term b) {
    int *fits = fits_of(a, b);
    i64 p = a.p > b.p ? a.p : b.p;
    return (Term){lifted(a.m, p - a.p, fits) + lifted(b.m, p - b.p, fits), p, fits};
}
static inline Term sub_term(Term a, Term b) { return add_term(a, (Term){-b.m, b.p, b.fits}); }

static inline Side neg(Side side) { return (Side){-side.one}; }
static inline Span turn_span(Span a, Side side) { return (Span){a.h * side.one, a.p}; }
static inline Booked turn_booked(Booked a, Side side) { return (Booked){a.h * side.one}; }
static inline Wide turn_wide(Wide a, Side side) { return (Wide){a.m * side.one, a.p}; }
static inline double turn_rough(double a, Side side) { return a * side.one; }
static inline double turned_rough(Side side, double a) { return turn_rough(a, side); }
static inline double mul_rough(double a, double b) { return a * b; }
static inline double add_rough(double a, double b) { return a + b; }
static inline double sub_rough(double a, double b) { return a - b; }
static inline Wide turned_wide(Side side, Wide a) { return turn_wide(a, side); }

static const Side LONG = {1}, SHORT = {-1};

#define mul(a, b)                                                                                         \
    _Generic((b),                                                                                         \
        Side: _Generic((a), Span: turn_span, Booked: turn_booked, double: turn_rough, default: turn_wide), \
        double: _Generic((a), Side: turned_rough, default: mul_rough),                                     \
        default: _Generic((a), Span: mul_spans, UnitFlow: mul_flow, Side: turned_wide, Term: mul_term, Near: mul_near, \
                          default: mul_wide))(a, b)
#define add(a, b) _Generic((a), Booked: add_booked, double: add_rough, Term: add_term, Wide: add_wide)(a, b)
#define sub(a, b) _Generic((a), Span: sub_spans, Booked: sub_booked, double: sub_rough, Term: sub_term, Wide: sub_wide)(a, b)
#define quo(a, b) _Generic((a), Near: quo_near, Wide: div_wide)(a, b)
#define book(a) \
    _Generic((a), SpanProduct: book_spans, FlowProduct: book_flow, Wide: book_wide, WideQuotient: book_quotient, Near: book_near)(a)

/* Return floor(n / d), d > 0, both modulo 2**128, from an estimate below 4e15 that is a few units off, and less than 2**-45 of
   itself where it is positive.

   Beyond that, and where d is too large, `fits` becomes 0. Far below zero any negative number stands. */
static inline i64 floor_quotient(u128 n, u128 d, double estimate, int *fits) {
    if (!(estimate < 4e15) || float_of((i128)d) > 2e37) { *fits = 0; return 0; }
    if (estimate < -4e15) return -1;
    i64 r = (i64)estimate;
    double part = estimate - (double)r, doubt = estimate * 0x1p-45;
    if (part > doubt && part < 1 - doubt) return r; /* no whole number lies within the doubt */
    i128 unit = (i128)d, rest = (i128)(n - (u128)(i128)r * d);
    int tries = 0;
    while (rest < 0 && tries++ < 6) { r--; rest += unit; }
    while (rest >= unit && tries++ < 6) { r++; rest -= unit; }
    if (rest < 0 || rest >= unit) *fits = 0;
    return r;
}
#endif
