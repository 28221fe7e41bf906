/* Columns of a window that every replay of it reads, from those of its pairs (window_columns.py). */
#include "layout.h"

#define MOST_PRICE (1LL << 52)
#define MOST_FLOW 0x1p62

static inline double larger(double most, double x) { return fabs(x) > most ? fabs(x) : most; }

/* Write prices as float64, return the largest; at least MOST_PRICE where one is out of range. */
static double put_prices(const i64 *from, i64 events, double *to) {
    double most = 0;
    for (i64 e = 0; e < events; e++) {
        to[e] = (double)from[e];
        most = larger(most, to[e]);
    }
    return most;
}

/* Write the unit funding of a pair in two float64, which together are exact; return 0 where it is out of range. */
static int put_flows(const Series *s, const PairColumns *c, i64 pair) {
    double marks = 0, rates = 0, *high = c->flow + pair * c->events, *low = c->flow_low + pair * c->events;
    double most = 0, most_low = 0, sum = 0;
    for (i64 e = 0; e < c->events; e++) {
        if (!s->pays[e]) continue;
        marks = larger(marks, (double)s->paid_mark[e]);
        rates = larger(rates, (double)s->rate[e]);
    }
    if (marks * rates >= MOST_FLOW) return 0;
    for (i64 e = 0; e < c->events; e++) {
        i64 flow = s->pays[e] ? s->paid_mark[e] * s->rate[e] : 0;
        high[e] = (double)flow;
        low[e] = (double)(flow - (i64)high[e]);
        most = larger(most, high[e]);
        most_low = larger(most_low, low[e]);
        sum += fabs(high[e]);
    }
    c->largest_flow[pair] = most;
    c->largest_flow_low[pair] = most_low;
    c->sum_of_flows[pair] = sum * (1 + 0x1p-20); /* more than rounding takes from it */
    return 1;
}

static void put_moments(const Series *s, const PairColumns *c, i64 pair) {
    i64 settled = 0, after = -1, *worst = c->worst + pair * c->events;
    double most = 0;
    for (i64 e = 0; e < c->events; e++) {
        i64 high = s->has_high[e] ? s->high[e] : -1, at = pair * c->events + e;
        settled += s->pays[e];
        worst[e] = high > s->mark[e] ? high : s->mark[e];
        most = larger(most, (double)worst[e]);
        c->moments[e * c->pairs + pair] = (Moment){s->spot[e], s->perp[e], s->mark[e], high, -1, c->flow[at], c->flow_low[at],
                                                   (i32)settled, s->fresh[e]};
    }
    c->largest_mark[pair] = most;
    for (i64 e = c->events - 1; e >= 0; e--) {
        c->moments[e * c->pairs + pair].worst_after = after;
        after = worst[e] > after ? worst[e] : after;
    }
}

/* Write the columns of all pairs; return 0 where a number is out of the range in which the kernel is exact. */
int carrygrid_window(const PairColumns *c);
int carrygrid_window(const PairColumns *c) {
    for (i64 pair = 0; pair < c->pairs; pair++) {
        const Series *s = &c->series[pair];
        i64 at = pair * c->events;
        c->largest_spot[pair] = put_prices(s->spot, c->events, c->spot + at);
        c->largest_perp[pair] = put_prices(s->perp, c->events, c->perp + at);
        double marks = 0;
        for (i64 e = 0; e < c->events; e++) marks = larger(larger(marks, (double)s->mark[e]), (double)s->high[e]);
        int fits = c->largest_spot[pair] < MOST_PRICE && c->largest_perp[pair] < MOST_PRICE && marks < MOST_PRICE;
        if (!fits || !put_flows(s, c, pair)) return 0;
        put_moments(s, c, pair);
    }
    return 1;
}
