/* Equity at the ends of days and months, and daily returns. */
#ifndef CARRYGRID_DAYS_H
#define CARRYGRID_DAYS_H
#include "layout.h"

typedef struct {
    i32 *of;                          /* E: the day of each event */
    double *ends, *returns;           /* of all days and one: equity before each; of all days */
    i64 known;                        /* days whose ends are */
} Days;

/* Write which day each event is in: the first that does not end before it. */
static void put_days_of(const Window *w, i32 *of) {
    for (i64 e = 0, d = 0; e < w->events; e++) {
        while (d < w->days - 1 && w->day_ends[d] < e) d++;
        of[e] = (i32)d;
    }
}

static inline void days_begin(Days *days, double capital, double *returns) {
    days->returns = returns;
    days->ends[0] = capital;
    days->known = 0;
}

/* Let the days before `day` pass with the same equity. */
static inline void days_flat(Days *days, i64 day, double equity) {
    for (i64 d = days->known; d < day; d++) days->ends[d + 1] = equity;
    days->known = day;
}

/* Take the equity after the events from `first` to before `stop`, before which it was the same for a while. */
static inline void days_through(const Window *w, Days *days, const double *equity, i64 first, i64 stop, double before) {
    i64 day = days->of[first], last = days->of[stop - 1];
    days_flat(days, day, before);
    for (i64 d = day; d < last; d++) days->ends[d + 1] = equity[w->day_ends[d]];
    days->known = last;
}

/* Write the returns of all days, NAN each where one would be taken on equity that is not positive. Return the largest in size,
   or NAN. */
static double put_returns(const Window *w, const Days *days) {
    const double *ends = days->ends;
    double *restrict returns = days->returns, least = ends[0], most = 0;
#pragma omp simd reduction(min : least) reduction(max : most)
    for (i64 d = 0; d < w->days; d++) {
        returns[d] = (ends[d + 1] - ends[d]) / ends[d];
        least = ends[d] < least ? ends[d] : least;
        most = fabs(returns[d]) > most ? fabs(returns[d]) : most;
    }
    for (i64 d = 0; least <= 0 && d < w->days; d++) returns[d] = NAN;
    return least > 0 ? most : NAN;
}

/* Return the most that a month gained; each ends with one of its days. */
static double best_month(const Window *w, const Days *days) {
    double before = days->ends[0], best = -INFINITY;
    for (i64 m = 0; m < w->months; m++) {
        double now = days->ends[days->of[w->month_ends[m]] + 1];
        if (now - before > best) best = now - before;
        before = now;
    }
    return best;
}
#endif
