/* Equity curve of one trial, event by event, with its drawdowns. */
#ifndef CARRYGRID_CURVE_H
#define CARRYGRID_CURVE_H
#include "layout.h"

typedef struct {
    double *equity;                   /* after each event through which hedges are held, units of 1e-8 */
    double peak, fall, deepest, share;
    i64 last_peak, longest_ms;
    int below;                        /* whether the newest point lies below the peak */
} Curve;

#define POINTS 8 /* events that are looked at together for a new peak */

static inline Curve curve_begin(double *equity, i64 capital) {
    return (Curve){equity, (double)capital, 0, 0, 0, 0, 0, 0};
}

/* End the drawdown since the peak at event e: its depth, its share of the peak, its length. */
static inline void curve_recover(Curve *curve, const i64 *times, i64 e) {
    double share = curve->fall / curve->peak;
    if (share > curve->share) curve->share = share;
    if (curve->fall > curve->deepest) curve->deepest = curve->fall;
    i64 lasted = times[e] - times[curve->last_peak];
    if (lasted > curve->longest_ms) curve->longest_ms = lasted;
    curve->below = 0;
    curve->fall = 0;
}

static inline void curve_point(Curve *curve, const i64 *times, i64 e, double equity) {
    curve->equity[e] = equity;
    if (equity >= curve->peak) {
        if (curve->below) curve_recover(curve, times, e);
        curve->peak = equity;
        curve->last_peak = e;
    } else {
        double fall = curve->peak - equity;
        if (fall > curve->fall) curve->fall = fall;
        curve->below = 1;
    }
}

/* Let the drawdown since the peak be at least as deep as the lowest of four points, if they are below it. */
static inline void curve_lowest(Curve *curve, Four least) {
    double fall = 0;
    for (int k = 0; k < FOUR; k++) fall = curve->peak - least[k] > fall ? curve->peak - least[k] : fall;
    if (fall > curve->fall) curve->fall = fall;
    curve->below |= fall > 0;
}

/* The events from `first` to before `stop`, whose equity is known. */
static inline void curve_through(Curve *known, const i64 *times, i64 first, i64 stop) {
    Curve curve = *known;
    Four least = all_of(INFINITY);
    i64 e = first;
    for (; e + POINTS <= stop; e += POINTS) {
        const Four some = four_of(curve.equity + e), others = four_of(curve.equity + e + FOUR), peak = all_of(curve.peak);
        if (!any_lane((some >= peak) | (others >= peak))) {
            least = least_of(least, least_of(some, others));
            continue;
        }
        curve_lowest(&curve, least);
        least = all_of(INFINITY);
        for (int k = 0; k < POINTS; k++) curve_point(&curve, times, e + k, curve.equity[e + k]);
    }
    curve_lowest(&curve, least);
    for (; e < stop; e++) curve_point(&curve, times, e, curve.equity[e]);
    *known = curve;
}

/* The same equity after the events from `first` to before `stop`. */
static inline void curve_flat(Curve *curve, const i64 *times, i64 first, i64 stop, double equity) {
    curve_point(curve, times, first, equity);
    if (!curve->below) curve->last_peak = stop - 1;
}

static inline void curve_end(Curve *curve, const i64 *times, i64 last, i64 *results, double *ratios) {
    if (curve->below) curve_recover(curve, times, last);
    results[DRAWDOWN] = (i64)curve->deepest;
    results[LONGEST_MS] = curve->longest_ms;
    ratios[DRAWDOWN_SHARE] = curve->share;
}
#endif
