/* Searches for the next event at which an order is possible, and for prices between events. */
#ifndef CARRYGRID_SEARCH_H
#define CARRYGRID_SEARCH_H
#include "margins.h"

#define SCAN 16 /* values that are looked at together */

/* Return the first index in [e, stop) whose value is below the threshold x, `stop` for none; all that is compared is noted. */
static i64 first_below(Limits *limits, const i32 *values, i64 e, i64 stop, i32 x) {
    i32 least = INT32_MAX;
    for (; e + SCAN <= stop; e += SCAN) {
        i32 own = INT32_MAX;
        for (int k = 0; k < SCAN; k++) own = values[e + k] < own ? values[e + k] : own;
        if (own < x) break;
        least = own < least ? own : least;
    }
    for (; e < stop && values[e] >= x; e++) least = values[e] < least ? values[e] : least;
    if (least < limits->most) limits->most = least;
    if (e < stop) met(limits, values[e], x);
    return e;
}

/* Return the first index in [e, stop) whose value reaches the threshold x, in the same way. */
static i64 first_from(Limits *limits, const i32 *values, i64 e, i64 stop, i32 x) {
    i32 most = INT32_MIN;
    for (; e + SCAN <= stop; e += SCAN) {
        i32 own = INT32_MIN;
        for (int k = 0; k < SCAN; k++) own = values[e + k] > own ? values[e + k] : own;
        if (own >= x) break;
        most = own > most ? own : most;
    }
    for (; e < stop && values[e] < x; e++) most = values[e] > most ? values[e] : most;
    if (most > limits->above) limits->above = most;
    if (e < stop) met(limits, values[e], x);
    return e;
}

/* Return the first index in [e, stop) whose price is x or more. */
static i64 first_price_from(const i64 *prices, i64 e, i64 stop, i64 x) {
    for (; e + SCAN <= stop; e += SCAN) {
        i64 any = 0;
        for (int k = 0; k < SCAN; k++) any |= prices[e + k] >= x;
        if (any) break;
    }
    while (e < stop && prices[e] < x) e++;
    return e;
}

enum { FOR_ENTRY, FOR_EXIT };

/* Return what a search from event `at` on finds if it is known, else -1. */
static inline i64 known_search(Account *a, i64 at, int kind) {
    const Searches *known = a->searches;
    if (!known) return -1;
    i32 begun = (i32)(2 * at + kind);
    while (a->searched < known->count && known->begun[a->searched] < begun) a->searched++;
    return a->searched < known->count && known->begun[a->searched] == begun ? known->found[a->searched++] : -1;
}

/* Keep what a search found that is not known; searches are kept from the first event on, so that they stay in order. */
static inline void keep_search(Account *a, i64 at, int kind, i64 found) {
    Searches *known = a->searches;
    if (!known || a->searched < known->count || known->count == SEARCHES) return;
    known->begun[known->count] = (i32)(2 * at + kind);
    known->found[known->count++] = (i32)found;
    a->searched = known->count;
    a->has_searched = 1;
}

/* Return the end of a pair's contract if this run meets it, else a moment that never comes. */
static i64 contract_end_ms(const Account *a, i64 pair) {
    return a->own->ends_dead || a->w->end_recorded[pair] ? a->w->end_ms[pair] : INT64_MAX;
}

/* Return the first event from `at` on at which a hedge may leave, the last of the window where there is none. */
static i64 search_exit(Account *a, Position *p, i64 at) {
    const Window *w = a->w;
    i64 k = p->pair * w->events, stop = w->events - 1;
    if (w->end_event[p->pair] < stop && contract_end_ms(a, p->pair) != INT64_MAX) stop = w->end_event[p->pair];
    if (a->by->stay_column >= 0) {
        i64 known = known_search(a, at, FOR_EXIT);
        stop = known >= 0 ? known : first_below(&a->alike.stay, w->columns[a->by->stay_column] + k, at, stop, (i32)a->run->stay_from);
        if (known < 0) keep_search(a, at, FOR_EXIT, stop);
    }
    if (at >= stop || moment_of(w, p->pair, at - 1)->worst_after < p->near) return stop;
    i64 found = first_price_from(w->worst + k, at, stop, p->near);
    if (found == stop || margins_are_known(p)) return found;
    meet_price(a, p, w->worst[k + found]);
    return first_price_from(w->worst + k, found, stop, p->near);
}

/* Return the close of the newest spot candle of a pair at this moment; one had closed before a hedge was opened. */
static i64 newest_spot(const Window *w, i64 pair, i64 t_ms) {
    i64 from = w->spots_from[pair], until = w->spots_from[pair + 1];
    while (until - from > 1) {
        /* Candles of one length are where this division finds them, and those beside gaps are found by halves. */
        double part = (double)(t_ms - w->spot_closed[from]) / (double)(w->spot_closed[until - 1] - w->spot_closed[from]);
        i64 near = from + (i64)(part * (double)(until - 1 - from) + 0.5);
        if (near > from && near < until && w->spot_closed[near] <= t_ms) {
            from = near;
            if (near + 1 == until || w->spot_closed[near + 1] > t_ms) break;
        }
        i64 middle = from + (until - from) / 2;
        if (w->spot_closed[middle] <= t_ms) from = middle;
        else until = middle;
    }
    return w->spot_close[from];
}
#endif
