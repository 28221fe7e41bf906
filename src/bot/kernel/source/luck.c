/* Shifts of Sharpe ratios in the drawn weeks of a bootstrap, equal in every bit to bot/selection/days/week_shifts.py.

   A draw takes runs of weeks that follow each other: the sum of its weeks is one of a few running sums. All of these are
   whole, and exact in any order. Compiled twice, as replay.c is. */
#include <stdlib.h>
#include "layout.h"

/* Sum of squares whose rounding is carried along (week_shifts._sum_of_squares), of four trials. */
typedef struct { Four total, lost; } Carried;

static inline void add_square(Carried *sum, Four x) {
    Four square = x * x, higher = sum->total + square, added = higher - sum->total;
    sum->lost += square - added;
    sum->lost += sum->total + (added - higher);
    sum->total = higher;
}

static inline Four larger_of(Four x, Four most) {
    Mask more = x > most; /* never of a NaN */
    return (Four)((more & (Mask)x) | (~more & (Mask)most));
}

/* The trials at `places`: write their running sums, weeks + 1 each, side by side. */
static void put_running_sums(const Luck *l, const i64 *places, double *sums) {
    for (int k = 0; k < 4; k++) {
        const double *weekly = l->weekly + places[k] * l->weeks;
        double sum = 0;
        for (i64 w = 0; w < l->weeks; w++) {
            sums[w * 4 + k] = sum;
            sum += weekly[w];
        }
        sums[l->weeks * 4 + k] = sum;
    }
}

/* Write the shifts of four trials in each draw; return the root mean square of each trial's, NAN where that is 0. */
static Four shifts_of(const Luck *l, const double *sums, Four deviation, double *shifts) {
    Four every = four_of(sums + l->weeks * 4);
    Carried sum = {{0}, {0}};
    for (i64 d = 0; d < l->draws; d++) {
        Four drawn = {0};
        for (i64 i = l->steps_from[d]; i < l->steps_from[d + 1]; i++)
            drawn += l->step_count[i] * four_of(sums + l->step_week[i] * 4);
        Four shift = (drawn - every) * l->correction / (double)l->days / deviation;
        add_square(&sum, shift);
        memcpy(shifts + d * 4, &shift, sizeof shift);
    }
    Four mean = (sum.total + sum.lost) / (double)l->draws, tau;
    for (int k = 0; k < 4; k++) tau[k] = mean[k] > 0 && sqrt(mean[k]) > 0 ? sqrt(mean[k]) : NAN;
    return tau;
}

/* Write tau of every trial and the largest shifts of each draw; return 0 where there is no memory for it. */
int DRAWN_SHIFTS(const Luck *l);
int DRAWN_SHIFTS(const Luck *l) {
    double *scratch = malloc((size_t)(12 * l->draws + 4 * (l->weeks + 1)) * sizeof *scratch);
    if (!scratch) return 0;
    double *shifts = scratch, *most = shifts + 4 * l->draws, *most_in_taus = most + 4 * l->draws, *sums = most_in_taus + 4 * l->draws;
    for (i64 i = 0; i < 8 * l->draws; i++) most[i] = -INFINITY;
    for (i64 n = 0; n < l->trials; n += 4) {
        i64 places[4];
        Four deviation;
        /* The last trial stands in for none: it changes no maximum. */
        for (int k = 0; k < 4; k++) places[k] = n + k < l->trials ? n + k : l->trials - 1;
        for (int k = 0; k < 4; k++) deviation[k] = l->deviations[places[k]];
        put_running_sums(l, places, sums);
        Four tau = shifts_of(l, sums, deviation, shifts);
        for (int k = 0; k < 4; k++) l->tau[places[k]] = tau[k];
        for (i64 d = 0; d < l->draws * 4; d += 4) {
            Four shift = four_of(shifts + d), own = larger_of(shift, four_of(most + d));
            Four in_taus = larger_of(shift / tau, four_of(most_in_taus + d));
            memcpy(most + d, &own, sizeof own);
            memcpy(most_in_taus + d, &in_taus, sizeof in_taus);
        }
    }
    for (i64 d = 0; d < l->draws; d++) {
        l->highest[d] = l->highest_in_taus[d] = -INFINITY;
        for (int k = 0; k < 4; k++) {
            l->highest[d] = fmax(l->highest[d], most[4 * d + k]);
            l->highest_in_taus[d] = fmax(l->highest_in_taus[d], most_in_taus[4 * d + k]);
        }
    }
    free(scratch);
    return 1;
}
