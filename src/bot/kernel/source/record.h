/* Sums of daily returns as whole numbers, and the track record that is worked out from them (selection/track_columns.py). */
#ifndef CARRYGRID_RECORD_H
#define CARRYGRID_RECORD_H
#include "layout.h"

#define SPLIT (1 << 20) /* squares are taken apart at it */
#define SQUARE_SPLIT (1 << 22) /* factors are taken apart at it, so that sums of products stay within 64 bits */

/* Power sums of the returns of four runs: those of u, u^2, u*h, u*l, h^2, h*l and l^2, with u^2 = h * 2**20 + l. */
typedef struct { Four first, second, third_high, third_low, high, mixed, low; } Powers;

/* Return the power of two that makes whole numbers of at most 20 bits of returns (selection.days.whole_returns) of which the
   largest, in size, has at least 2**-53, 0 where there are none. */
static inline double whole_scale(double largest) {
    if (isnan(largest) || largest == 0) return 0;
    return of_bits((2 * 1023 - 1 + WHOLE_BITS - (bits_of(largest) >> 52)) << 52);
}

/* Return the power sums of the returns of some weeks of four runs as whole numbers, and write the sums of each week LANES apart.

   All are exact, in any order. */
static Powers whole_weeks(const double *returns, i64 weeks, Four scale, double *weekly) {
    const Four rounder = all_of(ROUNDER), split = all_of(SPLIT), part = all_of(1.0 / SPLIT);
    Powers sums = {0};
    for (i64 n = 0; n < weeks; n++) {
        Four week = {0};
        for (i64 d = n * WEEK_DAYS; d < (n + 1) * WEEK_DAYS; d++) {
            /* Any split of the square into parts of 20 bits gives the same power sums. */
            const Four u = plus_product(rounder, four_of(returns + d * FOUR), scale) - rounder, square = u * u;
            const Four h = plus_product(rounder, square, part) - rounder, l = plus_product(square, h, -split);
            week += u;
            sums.second += square;
            sums.third_high = plus_product(sums.third_high, u, h);
            sums.third_low = plus_product(sums.third_low, u, l);
            sums.high = plus_product(sums.high, h, h);
            sums.mixed = plus_product(sums.mixed, h, l);
            sums.low = plus_product(sums.low, l, l);
        }
        sums.first += week;
        put_four(weekly + n * LANES, week);
    }
    return sums;
}

/* Write the daily Sharpe ratio of the n whole returns of lane k, their deviation, skewness and kurtosis (selection/sharpe.py).

   Each moment is rounded once. Nothing is written for returns that do not vary; return 0 where 128 bits are too few. */
static int record_moments(const Powers *p, int k, i64 n, double *ratios) {
    i128 first = (i64)p->first[k], second = (i64)p->second[k], third = (i128)(i64)p->third_high[k] * SPLIT + (i64)p->third_low[k];
    i128 fourth = ((i128)(i64)p->high[k] * SPLIT + 2 * (i128)(i64)p->mixed[k]) * SPLIT + (i64)p->low[k];
    i64 square = n * n, cube = square * n;
    i128 squares = n * second, aa = first * first, spread = squares - aa, cubes = square * third;
    if (spread == 0) return 1;
    /* Sums modulo 2**128, of which the last fits where its estimate does. */
    double estimate = (double)cube * float_of(fourth) - 4 * p->first[k] * float_of(cubes) + 3 * float_of(aa) * float_of(2 * squares - aa);
    if (fabs(estimate) > 0x1p126) return 0;
    u128 thirds = (u128)cubes - (u128)first * (u128)(3 * squares - 2 * aa);
    u128 fourths = (u128)(i128)cube * (u128)fourth - 4 * (u128)first * (u128)cubes + 3 * (u128)aa * (u128)(2 * squares - aa);
    double variance = nearest_quotient(spread, square);
    ratios[DEVIATION] = sqrt(nearest_quotient(spread, n * (n - 1)));
    ratios[DAILY_SHARPE] = p->first[k] / (double)n / ratios[DEVIATION];
    ratios[SKEWNESS] = nearest_quotient((i128)thirds, cube) / variance / sqrt(variance);
    ratios[KURTOSIS] = nearest_quotient((i128)fourths, cube * n) / (variance * variance);
    return 1;
}

#define ROWS 4 /* weeks whose sums go on at once, so that none waits for the one before and each week is read once for all */

/* Sums of some products in each lane: of LANES runs. */
typedef struct { Four first, last; } Pulled;

static inline void pull(Pulled *sums, double product, const double *week) {
    /* Whole numbers all of them. */
    sums->first = plus_product(sums->first, all_of(product), four_of(week));
    sums->last = plus_product(sums->last, all_of(product), four_of(week + FOUR));
}

/* Sums that shift_squares ends with, of some runs: squares in two parts, and sizes of weeks; and the largest factor of the first. */
typedef struct { Mask high, low; Four sizes, largest; } Shifts;

/* Return the products of whole numbers below 2**31 in size. */
static inline Mask whole_products(Four a, Four b) {
#if defined(__AVX2__)
    return (Mask)_mm256_mul_epi32((__m256i)(a + ROUNDER), (__m256i)(b + ROUNDER));
#else
    return (Mask){(i64)a[0] * (i64)b[0], (i64)a[1] * (i64)b[1], (i64)a[2] * (i64)b[2], (i64)a[3] * (i64)b[3]};
#endif
}

/* Add week i with what it was pulled by the weeks before it; `product` is its own. */
static inline void add_week(Shifts *shifts, Four by, double product, Four week) {
    const Four factor = 2 * by + product * week, high = factor * (1.0 / SQUARE_SPLIT) + ROUNDER - ROUNDER;
    shifts->high += whole_products(week, high);
    shifts->low += whole_products(week, factor - high * SQUARE_SPLIT);
    shifts->sizes += size_of(week);
    shifts->largest = most_of(shifts->largest, size_of(high));
}

/* Write the sum of squared shifts in the drawn weeks (selection.days.week_shifts), of LANES runs at once; all is whole.

   `weekly` is weeks x LANES. Products of weeks are symmetric, so that half of them are enough. Return 0 of a run for
   which 64 bits may be too few. */
static void shift_squares(const double *products, const double *weekly, i64 weeks, double *squares, int *fits) {
    Shifts first = {0}, last = {0};
    for (i64 i = 0; i < weeks; i += ROWS) {
        const i64 rows = weeks - i < ROWS ? weeks - i : ROWS;
        const double *row[ROWS];
        Pulled by[ROWS] = {0};
        for (int r = 0; r < ROWS; r++) row[r] = products + (r < rows ? i + r : i) * weeks;
        for (i64 j = 0; j < i; j++)
            for (int r = 0; r < ROWS; r++) pull(&by[r], row[r][j], weekly + j * LANES);
        for (i64 r = 0; r < rows; r++) {
            for (i64 j = i; j < i + r; j++) pull(&by[r], row[r][j], weekly + j * LANES);
            add_week(&first, by[r].first, row[r][i + r], four_of(weekly + (i + r) * LANES));
            add_week(&last, by[r].last, row[r][i + r], four_of(weekly + (i + r) * LANES + FOUR));
        }
    }
    for (int k = 0; k < LANES; k++) {
        const Shifts *sums = k < FOUR ? &first : &last;
        squares[k] = (double)((i128)sums->high[k % FOUR] * SQUARE_SPLIT + sums->low[k % FOUR]);
        fits[k] = sums->sizes[k % FOUR] < 0x1p31 && sums->largest[k % FOUR] < 0x1p31 && squares[k] < 0x1p74;
    }
}
#endif
