/* Comparison of trials with one of each window, which leads where bot/selection/days/ranking.py does by products of matrices.

   A window is two parts, sets of segments that many windows share: the sums of a trial in all parts are worked out first,
   and a window takes one addition. Sums are below 2**33 and those of squares up to 2**53 (selection.days.whole_returns), so
   all of them are exact in float64, and keys in 128 bits. Only trials that floats do not tell from the one of a window are
   compared in these: a product stands for a division, and `doubt` covers all roundings. Compiled twice, as replay.c is. */
#include <stdlib.h>
#include "layout.h"

#define TOGETHER 8 /* rows that are compared together */
#define FOURS (TOGETHER / FOUR)
#define PART (2 * TOGETHER) /* numbers of a part: sums, then sums of squares */
#define FARTHEST 64 /* difference of exponents from which on any sums but 0 are told apart by these */

/* Sums of four rows in a window; their keys are value / weight, undefined where the squares are 0. */
typedef struct { Four total, squares, value, weight; } Keyed;

/* Write the sums over each part of the rows from `first` on, and their scales; those of no row are 0. */
static void put_parts(const Comparison *c, i64 first, double *segments, double *parts, double *scales) {
    i64 count = c->rows - first < TOGETHER ? c->rows - first : TOGETHER;
    memset(segments, 0, (size_t)(c->segments * PART) * sizeof *segments);
    memset(scales, 0, TOGETHER * sizeof *scales);
    for (i64 k = 0; k < count; k++) {
        const i64 *totals = c->totals + (first + k) * c->segments, *squares = c->squares + (first + k) * c->segments;
        scales[k] = c->scales[first + k];
        for (i64 s = 0; s < c->segments; s++) {
            segments[s * PART + k] = (double)totals[s];
            segments[s * PART + TOGETHER + k] = (double)squares[s];
        }
    }
    for (i64 p = 0; p < c->parts; p++) {
        Four sums[2 * FOURS] = {{0}};
        for (i64 i = c->part_from[p]; i < c->part_from[p + 1]; i++)
            for (int k = 0; k < 2 * FOURS; k++) sums[k] += four_of(segments + c->part_segment[i] * PART + k * FOUR);
        for (int k = 0; k < 2 * FOURS; k++) put_four(parts + p * PART + k * FOUR, sums[k]);
    }
}

static inline Keyed keyed(const Comparison *c, i64 w, const double *parts, const double *scales, int by_money) {
    const double *one = parts + c->one_part[w] * PART, *other = parts + c->other_part[w] * PART;
    Keyed found = {four_of(one) + four_of(other), four_of(one + TOGETHER) + four_of(other + TOGETHER), {0}, {0}};
    found.value = found.total * (by_money ? four_of(scales) : size_of(found.total));
    found.weight = by_money ? kept(found.squares > 0, all_of(1)) : found.squares;
    return found;
}

/* Return -1, 0 or 1 as the key of a row is below, equal to or above that of the trial of a window; both are defined. */
static int order(const Comparison *c, i64 w, i64 row, i64 total, i64 squares) {
    i128 own, other;
    if (c->by_money) {
        i64 further = c->exponent[w] - c->exponents[row], by = further < 0 ? -further : further;
        i128 times = (i128)1 << (by < FARTHEST ? by : FARTHEST);
        own = total * (further > 0 ? times : 1);
        other = c->total[w] * (further < 0 ? times : 1);
    } else {
        own = (i128)total * (total < 0 ? -total : total) * c->square[w];
        other = (i128)c->total[w] * (c->total[w] < 0 ? -c->total[w] : c->total[w]) * squares;
    }
    return (own > other) - (own < other);
}

static int is_active(const Comparison *c, i64 w, i64 row) {
    const i64 parts[2] = {c->one_part[w], c->other_part[w]};
    i64 days = 0;
    for (int n = 0; n < 2; n++)
        for (i64 i = c->part_from[parts[n]]; i < c->part_from[parts[n] + 1]; i++)
            days += c->active[row * c->segments + c->part_segment[i]];
    return days >= c->fewest_active;
}

/* Put a trial in the place of the best of a window, if it is better. */
static void contend(const Comparison *c, i64 w, i64 row, i64 total, i64 squares, double key) {
    if (c->fewest_active && !is_active(c, w, row)) return;
    if (c->number[w] >= 0) {
        int than_best = order(c, w, row, total, squares);
        if (than_best < 0 || (!than_best && c->numbers[row] >= c->number[w])) return;
    }
    c->low[w] = key - fabs(key) * c->doubt;
    c->total[w] = total, c->square[w] = squares, c->exponent[w] = c->exponents[row];
    c->number[w] = c->numbers[row], c->row[w] = row;
}

static inline void lead(const Comparison *c, i64 first, const double *parts, const double *scales, int by_money) {
    for (i64 w = 0; w < c->windows; w++)
        for (int k = 0; k < TOGETHER; k += FOUR) {
            Keyed own = keyed(c, w, parts + k, scales + k, by_money);
            Mask near = (own.value >= c->low[w] * own.weight) & (own.squares > 0);
            if (!any_lane(near)) continue;
            for (int n = 0; n < FOUR; n++)
                if (near[n])
                    contend(c, w, first + k + n, (i64)own.total[n], (i64)own.squares[n], own.value[n] / own.weight[n]);
        }
}

/* Count a trial whose key is near that of the trial to place in a window, or as undefined as that one's. */
static void count_near(const Comparison *c, i64 w, i64 row, i64 total, i64 squares) {
    int than_own = squares ? order(c, w, row, total, squares) : 0;
    c->worse[w] += than_own < 0;
    c->equal[w] += than_own == 0;
}

static inline void place(const Comparison *c, i64 first, const double *parts, const double *scales, int by_money) {
    for (i64 w = 0; w < c->windows; w++) {
        Mask worse = {0}, defined = all_of(c->low[w]) > all_of(-INFINITY);
        for (int k = 0; k < TOGETHER; k += FOUR) {
            Mask rows = first_lanes(c->rows - first - k);
            Keyed own = keyed(c, w, parts + k, scales + k, by_money);
            Mask below = (own.value < c->low[w] * own.weight) | ((own.squares == 0) & defined);
            Mask near = ~below & ~(own.value > c->high[w] * own.weight) & rows;
            worse -= below & rows;
            if (!any_lane(near)) continue;
            for (int n = 0; n < FOUR; n++)
                if (near[n]) count_near(c, w, first + k + n, (i64)own.total[n], (i64)own.squares[n]);
        }
        c->worse[w] += worse[0] + worse[1] + worse[2] + worse[3];
    }
}

/* Let all rows compete with the best of each window, or count them beside the trial to place; 0 without memory for it. */
int COMPARED(const Comparison *c);
int COMPARED(const Comparison *c) {
    double *segments = malloc((size_t)((c->segments + c->parts) * PART + TOGETHER) * sizeof *segments);
    if (!segments) return 0;
    double *parts = segments + c->segments * PART, *scales = parts + c->parts * PART;
    for (i64 first = 0; first < c->rows; first += TOGETHER) {
        put_parts(c, first, segments, parts, scales);
        if (c->places && c->by_money) place(c, first, parts, scales, 1);
        else if (c->places) place(c, first, parts, scales, 0);
        else if (c->by_money) lead(c, first, parts, scales, 1);
        else lead(c, first, parts, scales, 0);
    }
    free(segments);
    return 1;
}
