/* Order in which the runs of a batch are replayed: those that may decide alike follow each other, and so do accounts whose hold
   baselines hold the same quantity. */
#ifndef CARRYGRID_ORDER_H
#define CARRYGRID_ORDER_H
#include <stdlib.h>
#include "terms.h"

/* Return a number nearly, 0 for one of more places than are known: an order that is only worse changes no result. */
static inline double nearly(i64 m, i64 p) { return p >= 0 && p <= MOST_PLACES ? (double)m * TENTH[p] : 0; }
static inline double nearly_of(Number x) { return nearly(x.m, x.p); }

/* Return nearly how many steps of the first pair the slot of an account pays for at some prices. */
static double slot_steps(const Window *w, const Parameters *own, const Moment *now) {
    const Rules *rules = &w->rules[0];
    double slippage = nearly_of(own->slippage), leverage = nearly_of(own->leverage);
    double spot = nearly(now->spot, rules->spot_places), perp = nearly(now->perp, rules->perp_places);
    double unit = unit_cost_rough(spot, spot_share_rough(slippage, nearly_of(own->spot_taker), leverage), perp,
                                  perp_share_rough(slippage, nearly_of(own->perp_taker), leverage));
    double slot = nearly(own->capital, MONEY_PLACES) * nearly_of(own->allocation) * leverage;
    return slot / (unit * (double)own->slots * nearly(rules->step, rules->quantity_places));
}

/* Return the first event at which the hold baseline may enter the only pair of a window. */
static i64 baseline_entry(const Window *w, const Batch *b) {
    const i32 *best = w->columns[b->decisions[b->baseline->decisions].best_column];
    i64 e = 0;
    while (e < w->events - 1 && best[e] < b->baseline->enter_from[0]) e++;
    return e;
}

/* Write the numbers below `count` by their places, which are below `most`; `starts` has room for so many. */
static void put_by_place(const i64 *places, i64 count, i64 most, i64 *starts, i64 *to) {
    i64 start = 0;
    memset(starts, 0, (size_t)most * sizeof *starts);
    for (i64 n = 0; n < count; n++) starts[places[n]]++;
    for (i64 k = 0; k < most; k++) {
        i64 own = starts[k];
        starts[k] = start;
        start += own;
    }
    for (i64 n = 0; n < count; n++) to[starts[places[n]]++] = n;
}

static inline int is_behind(const Run *x, const Run *y) {
    if (x->decisions != y->decisions) return x->decisions > y->decisions;
    if (x->enter_from[0] != y->enter_from[0]) return x->enter_from[0] > y->enter_from[0];
    return x->stay_from > y->stay_from;
}

static void merge(const Run *runs, const i64 *from, i64 first, i64 middle, i64 end, i64 *to) {
    i64 left = first, right = middle;
    for (i64 k = first; k < end; k++) {
        int other = left == middle || (right < end && is_behind(&runs[from[left]], &runs[from[right]]));
        to[k] = from[other ? right++ : left++];
    }
}

/* Put the numbers of the runs of one account in the order of decisions and thresholds.

   Merges neighbours, so that it costs next to nothing where a grid has that order already. */
static void put_alike(const Run *runs, i64 count, i64 *order, i64 *scratch) {
    i64 *from = order, *to = scratch;
    for (i64 width = 1; width < count; width *= 2) {
        for (i64 first = 0; first < count; first += 2 * width) {
            i64 middle = first + width < count ? first + width : count, end = middle + width < count ? middle + width : count;
            if (middle == end || !is_behind(&runs[from[middle - 1]], &runs[from[middle]]))
                memcpy(to + first, from + first, (size_t)(end - first) * sizeof *to);
            else merge(runs, from, first, middle, end, to);
        }
        i64 *sorted = to;
        to = from;
        from = sorted;
    }
    if (from != order) memcpy(order, from, (size_t)count * sizeof *order);
}

/* Write the rank of each account; `scratch` has room for `most` numbers and as many as there are accounts, twice. */
static void put_ranks(const Window *w, const Batch *b, i64 accounts, i64 most, i64 *scratch, i64 *ranks) {
    i64 *places = scratch + most, *sorted = places + accounts;
    const Moment *now = &w->moments[baseline_entry(w, b)];
    for (i64 n = 0; n < accounts; n++) {
        double steps = slot_steps(w, &b->accounts[n], now);
        places[n] = steps >= 0 && steps < EXACT_SUMS ? (i64)steps % most : 0;
    }
    put_by_place(places, accounts, most, scratch, sorted);
    for (i64 n = 0; n < accounts; n++) ranks[sorted[n]] = n;
}

/* Write the numbers of the runs to `order`: by account, of which those whose slots pay for the same steps follow each other,
   then by decisions and thresholds. Return 0 where there is no memory for it. */
static int put_order(const Window *w, const Batch *b, i64 *order) {
    i64 accounts = 0, at = 0;
    for (i64 n = 0; n < b->count; n++) accounts = larger(accounts, b->runs[n].account + 1);
    i64 most = 4 * accounts, *ranks = malloc((size_t)(2 * b->count + most + 3 * accounts + 1) * sizeof *ranks);
    if (!ranks) return 0;
    i64 *places = ranks + accounts, *scratch = places + b->count;
    for (i64 n = 0; n < accounts; n++) ranks[n] = n;
    if (w->pairs == 1 && accounts > 1) put_ranks(w, b, accounts, most, scratch, ranks);
    for (i64 n = 0; n < b->count; n++) places[n] = ranks[b->runs[n].account];
    put_by_place(places, b->count, accounts, scratch, order);
    for (i64 end; at < b->count; at = end) {
        for (end = at + 1; end < b->count && places[order[end]] == places[order[at]];) end++;
        put_alike(b->runs, end - at, order + at, scratch);
    }
    free(ranks);
    return 1;
}
#endif
