/* Order in which the runs of a batch are replayed: those that may decide alike follow each other. */
#ifndef CARRYGRID_ORDER_H
#define CARRYGRID_ORDER_H
#include "layout.h"

static inline int is_behind(const Run *x, const Run *y) {
    if (x->account != y->account) return x->account > y->account;
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

/* Write the numbers of the runs by account, decisions and thresholds to `order`, which has room for twice as many.

   Merges neighbours, so that it costs next to nothing where a grid has that order already. */
static void put_order(const Run *runs, i64 count, i64 *order) {
    i64 *from = order, *to = order + count;
    for (i64 n = 0; n < count; n++) from[n] = n;
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
#endif
