/* Sums of daily returns as whole numbers, and the track record that is worked out from them (selection/track_columns.py). */
#ifndef CARRYGRID_RECORD_H
#define CARRYGRID_RECORD_H
#include "layout.h"

#define WHOLE_BITS 20
#define SPLIT (1 << 20) /* squares are taken apart at it */
#define SQUARE_BITS 22 /* of the lower part of a factor, so that sums of products stay within 64 bits */

/* Power sums of returns: those of u, u^2, u*h, u*l, h^2, h*l and l^2, with u^2 = h * 2**20 + l. */
typedef struct { double first, second, third_high, third_low, high, mixed, low; } Powers;

/* The nearest whole number, half to even, of one below 2**51. */
static inline double nearest(double x) { return x + 0x1.8p52 - 0x1.8p52; }

/* Write the returns as whole numbers of at most 20 bits (selection.days.whole_returns); return 0 where there are none. */
static int whole_returns(const double *returns, i64 days, double *whole) {
    double most = 0;
    int power;
#pragma omp simd reduction(max : most)
    for (i64 d = 0; d < days; d++) {
        double size = fabs(returns[d]);
        most = size > most ? size : most;
    }
    if (isnan(returns[0]) || most == 0 || isinf(most)) return 0;
    frexp(most, &power);
    int exponent = WHOLE_BITS - power, half = exponent >> 1;
    /* In two steps, since one power of two may be more than the largest double. */
    double first = ldexp(1, half), second = ldexp(1, exponent - half);
    for (i64 d = 0; d < days; d++) whole[d] = nearest(returns[d] * first * second);
    return 1;
}

/* Return the power sums of whole returns; all are exact, in any order. */
static Powers power_sums(const double *u, i64 days) {
    double first = 0, second = 0, third_high = 0, third_low = 0, high = 0, mixed = 0, low = 0;
#pragma omp simd reduction(+ : first, second, third_high, third_low, high, mixed, low)
    for (i64 d = 0; d < days; d++) {
        /* Any split of the square into parts of 20 bits gives the same power sums. */
        double square = u[d] * u[d], h = nearest(square * 0x1p-20), l = square - h * 0x1p20;
        first += u[d];
        second += square;
        third_high += u[d] * h;
        third_low += u[d] * l;
        high += h * h;
        mixed += h * l;
        low += l * l;
    }
    return (Powers){first, second, third_high, third_low, high, mixed, low};
}

/* Write the daily Sharpe ratio of n whole returns, their deviation, skewness and kurtosis (selection/sharpe.py).

   Each moment is rounded once. Nothing is written for returns that do not vary; return 0 where 128 bits are too few. */
static int record_moments(Powers p, i64 n, double *ratios) {
    i128 first = (i64)p.first, second = (i64)p.second, third = (i128)(i64)p.third_high * SPLIT + (i64)p.third_low;
    i128 fourth = ((i128)(i64)p.high * SPLIT + 2 * (i128)(i64)p.mixed) * SPLIT + (i64)p.low;
    i64 square = n * n, cube = square * n;
    i128 squares = n * second, aa = first * first, spread = squares - aa, cubes = square * third;
    if (spread == 0) return 1;
    /* Sums modulo 2**128, of which the last fits where its estimate does. */
    double estimate = (double)cube * float_of(fourth) - 4 * p.first * float_of(cubes) + 3 * float_of(aa) * float_of(2 * squares - aa);
    if (fabs(estimate) > 0x1p126) return 0;
    u128 thirds = (u128)cubes - (u128)first * (u128)(3 * squares - 2 * aa);
    u128 fourths = (u128)(i128)cube * (u128)fourth - 4 * (u128)first * (u128)cubes + 3 * (u128)aa * (u128)(2 * squares - aa);
    double variance = nearest_quotient(spread, square);
    ratios[DEVIATION] = sqrt(nearest_quotient(spread, n * (n - 1)));
    ratios[DAILY_SHARPE] = p.first / (double)n / ratios[DEVIATION];
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

/* Sums that shift_squares ends with, of each run: squares in two parts, and sizes of weeks. */
typedef struct { i64 high[LANES], low[LANES]; double sizes[LANES]; } Shifts;

/* Add week i with what it was pulled by the weeks before it; `product` is its own. */
static inline void add_week(Shifts *shifts, Pulled by, double product, const double *week) {
    double before[LANES];
    memcpy(before, &by, sizeof before);
    for (int k = 0; k < LANES; k++) {
        i64 factor = (i64)(2 * before[k] + product * week[k]), mine = (i64)week[k];
        shifts->high[k] += mine * (factor >> SQUARE_BITS);
        shifts->low[k] += mine * (factor & ((1 << SQUARE_BITS) - 1));
        shifts->sizes[k] += fabs(week[k]);
    }
}

/* Write the sum of squared shifts in the drawn weeks (selection.week_shifts), of LANES runs at once; all is whole.

   `weekly` is weeks x LANES. Products of weeks are symmetric, so that half of them are enough. Return 0 of a run for
   which 64 bits may be too few. */
static void shift_squares(const double *products, const double *weekly, i64 weeks, double *squares, int *fits) {
    Shifts sums = {0};
    for (i64 i = 0; i < weeks; i += ROWS) {
        const i64 rows = weeks - i < ROWS ? weeks - i : ROWS;
        const double *row[ROWS];
        Pulled by[ROWS] = {0};
        for (int r = 0; r < ROWS; r++) row[r] = products + (r < rows ? i + r : i) * weeks;
        for (i64 j = 0; j < i; j++)
            for (int r = 0; r < ROWS; r++) pull(&by[r], row[r][j], weekly + j * LANES);
        for (i64 r = 0; r < rows; r++) {
            for (i64 j = i; j < i + r; j++) pull(&by[r], row[r][j], weekly + j * LANES);
            add_week(&sums, by[r], row[r][i + r], weekly + (i + r) * LANES);
        }
    }
    for (int k = 0; k < LANES; k++) {
        squares[k] = (double)((i128)sums.high[k] * (1 << SQUARE_BITS) + sums.low[k]);
        fits[k] = sums.sizes[k] < 0x1p31 && squares[k] < 0x1p74;
    }
}
#endif
