/* Mark prices at which a hedge is liquidated or forced out (docs/domain.md, section 6). */
#ifndef CARRYGRID_MARGINS_H
#define CARRYGRID_MARGINS_H
#include "account.h"

/* Return the least whole mark price at which maintenance takes up `ratio` of the margin balance, if one comes. */
static i64 price_from(Account *a, const Position *p, Number ratio) {
    const Terms *x = &a->terms.of[p->pair];
    double sold = p->quantity_f * p->perp_entry_f, lift_margin = float_of(ten(x->quantity_places + x->perp_places + x->fill_places - MONEY_PLACES));
    double value = (sold + (double)p->margin * lift_margin) * (double)ratio.m;
    double rates = (double)ratio.m * SCALE[x->mmr.p] + (double)x->mmr.m * SCALE[ratio.p];
    if (value >= 1e37 || p->quantity_f * rates * a->w->largest_mark[p->pair] >= 1e37) { a->fits = 0; return INT64_MAX; }
    Wide q = wide_of(p->quantity, x->quantity_places), entry = wide_of(p->perp_entry, x->perp_places + x->fill_places);
    Wide share = wide_of(ratio.m, ratio.p);
    Wide backing = margin_backing_wide(SHORT, wide_of(p->margin, MONEY_PLACES), q, entry, share);
    Wide need = margin_need_wide(SHORT, q, wide_of(x->mmr.m, x->mmr.p), share);
    i64 lift = need.p + x->mark_places - backing.p;
    i128 n = lift > 0 ? lifted(backing.m, lift, &a->fits) : backing.m;
    i128 d = lift < 0 ? lifted(need.m, -lift, &a->fits) : need.m;
    if (!a->fits || d <= 0 || float_of(n) / float_of(d) > 4e15) return INT64_MAX;
    i64 floor = floor_quotient((u128)n, (u128)d, float_of(n) / float_of(d), &a->fits);
    return floor + ((i128)floor * d != n);
}

/* Put the mark price below which nothing happens; most hedges never meet it, and those that do ask for the exact ones. */
static void put_near(const Account *a, Position *p) {
    const Terms *x = &a->terms.of[p->pair];
    double quantity = p->quantity_f * TENTH[x->quantity_places], entry = p->perp_entry_f * TENTH[x->perp_places + x->fill_places];
    double margin = (double)p->margin * TENTH[MONEY_PLACES], share = rough_of(x->nearest);
    double backing = margin_backing_rough(SHORT, margin, quantity, entry, share), need = margin_need_rough(SHORT, quantity, rough_of(x->mmr), share);
    double near = need > 0 ? backing / need * SCALE[x->mark_places] * (1 - 1e-9) - 1 : INFINITY;
    p->near = near < 4e15 ? (i64)near : INT64_MAX;
    p->liquidated_from = p->forced_from = INT64_MAX;
}

static inline int margins_are_known(const Position *p) { return p->liquidated_from != INT64_MAX || p->forced_from != INT64_MAX; }

/* Put the exact prices if a hedge meets a mark of `price` at least. */
static void meet_price(Account *a, Position *p, i64 price) {
    if (price < p->near || margins_are_known(p)) return;
    p->liquidated_from = price_from(a, p, (Number){1, 0});
    p->forced_from = price_from(a, p, a->own->margin_exit_ratio);
    p->near = p->liquidated_from < p->forced_from ? p->liquidated_from : p->forced_from;
}
#endif
