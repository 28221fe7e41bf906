/* Sums of daily returns as whole numbers, from which the track record of a run is worked out. */
#ifndef CARRYGRID_RECORD_H
#define CARRYGRID_RECORD_H
#include "curve.h"

#define WHOLE_BITS 20
#define SPLIT_SUMS 7
#define WEEK_DAYS 7

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

/* Write the split sums (selection.sharpe) of the newest whole weeks, and the sums of each of them; all are exact. */
static void record_sums(const double *returns, i64 days, double *whole, double *sums) {
    i64 weeks = days / WEEK_DAYS;
    const double *u = whole + days % WEEK_DAYS;
    double first = 0, second = 0, third_high = 0, third_low = 0, high = 0, mixed = 0, low = 0;
    memset(sums, 0, (size_t)(SPLIT_SUMS + weeks) * sizeof *sums);
    if (!whole_returns(returns, days, whole)) return;
#pragma omp simd reduction(+ : first, second, third_high, third_low, high, mixed, low)
    for (i64 d = 0; d < weeks * WEEK_DAYS; d++) {
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
    const double split[SPLIT_SUMS] = {first, second, third_high, third_low, high, mixed, low};
    memcpy(sums, split, sizeof split);
    for (i64 w = 0; w < weeks; w++)
        for (i64 d = 0; d < WEEK_DAYS; d++) sums[SPLIT_SUMS + w] += u[w * WEEK_DAYS + d];
}

/* Return the Sharpe ratio of returns less those of the hold baseline, NAN for a run that never moved. */
static double sharpe_over(const Window *w, const double *returns, const double *hold, double *lead) {
    double ratios[RATIOS];
    int moved = 0;
    for (i64 d = 0; d < w->days; d++) {
        lead[d] = returns[d] - hold[d];
        moved |= returns[d] != 0;
    }
    ratios[SHARPE] = NAN;
    if (moved && w->days > 1) daily_ratios(w, lead, ratios);
    return ratios[SHARPE];
}
#endif
