/* Equity at the ends of days and months, and daily returns. */
#ifndef CARRYGRID_DAYS_H
#define CARRYGRID_DAYS_H
#include "layout.h"

/* A trial is asked for its equity where it holds hedges: on other days it returns 0. */
typedef struct {
    i32 *of;                          /* E: the day of each event */
    double *ends, *returns;           /* of all days and one: equity before each; of all days */
    double least, most;               /* equity that a return was divided by; the largest return in size */
    double month, best;               /* equity at the end of the newest month that is over, most that one gained */
    i64 known, months;                /* of a trial: days whose returns are known, of a hold baseline: whose ends are; months that are over */
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
    days->least = days->month = days->ends[0] = days->ends[1] = capital;
    days->most = 0;
    days->best = -INFINITY;
    days->known = days->months = 0;
}

static inline void end_month(Days *days, double equity) {
    double gain = equity - days->month;
    if (gain > days->best) days->best = gain;
    days->month = equity;
    days->months++;
}

/* Write the returns of the days from `first` to before `stop`, whose ends are known. */
static inline void put_returns(Days *days, i64 first, i64 stop) {
    const double *ends = days->ends;
    double *restrict returns = days->returns, least = days->least, most = days->most;
#pragma omp simd reduction(min : least) reduction(max : most)
    for (i64 d = first; d < stop; d++) {
        returns[d] = (ends[d + 1] - ends[d]) / ends[d];
        least = ends[d] < least ? ends[d] : least;
        most = fabs(returns[d]) > most ? fabs(returns[d]) : most;
    }
    days->least = least;
    days->most = most;
}

/* Let days pass in which the equity is the same. */
static inline void days_flat(const Window *w, Days *days, i64 stop, double equity) {
    while (days->months < w->months && w->month_ends[days->months] < stop) end_month(days, equity);
}

/* Let the days up to `stop` pass, after the newest that is not over yet, whose end is known now. */
static inline void end_days(Days *days, i64 stop) {
    i64 newest = days->known;
    put_returns(days, newest, newest + 1);
    for (i64 d = newest + 1; d < stop; d++) days->returns[d] = 0;
    days->known = stop;
}

/* Take the equity after the events from `first` to before `stop`; `before` and `after` them it is the same for a while. */
static void days_through(const Window *w, Days *days, const double *equity, i64 first, i64 stop, double before, double after) {
    i64 day = days->of[first], last = days->of[stop - 1];
    double *ends = days->ends;
    while (days->months < w->months && w->month_ends[days->months] < stop) end_month(days, equity[w->month_ends[days->months]]);
    if (day > days->known) {
        end_days(days, day);
        ends[day] = before;
    }
    for (i64 d = day; d < last; d++) ends[d + 1] = equity[w->day_ends[d]];
    ends[last + 1] = after; /* unless other hedges are held before that day ends */
    put_returns(days, day, last);
    days->known = last;
}

/* Let the days up to the end of the window pass without hedges. */
static void days_flat_to_end(const Window *w, Days *days) {
    double equity = days->ends[days->known + 1];
    if (days->known + 1 < w->days && equity < days->least) days->least = equity;
    end_days(days, w->days);
}

/* Return the largest return in size; NAN, as all returns become, where one would be taken on equity that is not positive. */
static double largest_return(const Window *w, const Days *days) {
    if (days->least > 0) return days->most;
    for (i64 d = 0; d < w->days; d++) days->returns[d] = NAN;
    return NAN;
}
#endif
