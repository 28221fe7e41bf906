/* Terms of an account: whole constants that put every comparison of one pair over one scale.

   Each comparison of docs/domain.md, section 4, is multiplied through until no quotient is left in it. */
#ifndef CARRYGRID_TERMS_H
#define CARRYGRID_TERMS_H
#include "layout.h"

typedef struct {
    i128 spot_unit, perp_unit;        /* spot * spot_unit + perp * perp_unit: what one unit ties up, times leverage */
    i128 slot_factor, slot_divisor;   /* steps by slot: base * share * factor / (unit * divisor) */
    i128 free_factor, free_divisor;   /* steps by free cash: the same without share */
    i128 min_notional, size_cap;
    i128 exposure_scale;              /* quantity * spot fill * scale is exposure over places common to all pairs */
    i64 step, min_steps;
    i64 buy, sell, fill_scale, fill_places; /* 1 + slippage, 1 - slippage and 1, over 10**fill_places */
    Number spot_fee, perp_fee, leverage, mmr;
    i64 quantity_places, spot_places, perp_places, flow_places, mark_places;
} Terms;

typedef struct {
    i64 account;                      /* -1: none yet */
    int fits, has_size_cap, has_exposure_cap;
    i128 exposure_cap;
    Terms of[MOST_PAIRS];
} AccountTerms;

static i128 times(i128 a, i128 b, int *fits) {
    if (fabs(float_of(a)) * fabs(float_of(b)) < 8e37) return a * b;
    *fits = 0;
    return 0;
}
static i128 lifted(i128 a, i64 power, int *fits) {
    if (power >= 0 && power <= MOST_PLACES) return times(a, ten(power), fits);
    *fits = 0;
    return 0;
}
static i64 narrowed(i128 a, int *fits) {
    if (fabs(float_of(a)) < 4e18) return (i64)a;
    *fits = 0;
    return 0;
}
static inline i64 larger(i64 a, i64 b) { return a > b ? a : b; }

/* Put numerator and divisor over one scale: the side with fewer places is lifted. */
static void balance(i128 *factor, i64 factor_places, i128 *divisor, i64 divisor_places, int *fits) {
    i64 more = divisor_places - factor_places;
    if (more >= 0) *factor = lifted(*factor, more, fits);
    else *divisor = lifted(*divisor, -more, fits);
}

/* Sizing terms: unit = S(1+s)(1+spot_taker)L + P(1-s)(1+perp_taker*L), over `places`, and the two budgets. */
static void sizing_terms(Terms *x, const Trial *t, int *fits) {
    Number s = t->spot_taker, b = t->perp_taker, l = t->leverage;
    i64 spot_places = x->fill_places + s.p + l.p, perp_places = x->fill_places + b.p + l.p;
    i64 places = larger(x->spot_places + spot_places, x->perp_places + perp_places);
    i128 spot = times(times(x->buy, lifted(1, s.p, fits) + s.m, fits), l.m, fits);
    i128 perp = times(x->sell, lifted(1, b.p + l.p, fits) + (i128)b.m * l.m, fits);
    x->spot_unit = lifted(spot, places - x->spot_places - spot_places, fits);
    x->perp_unit = lifted(perp, places - x->perp_places - perp_places, fits);
    x->slot_factor = times(t->allocation.m, l.m, fits);
    x->slot_divisor = times(t->slots, x->step, fits);
    balance(&x->slot_factor, MONEY_PLACES + t->allocation.p + l.p + t->share_places, &x->slot_divisor,
            places + x->quantity_places, fits);
    x->free_factor = l.m;
    x->free_divisor = x->step;
    balance(&x->free_factor, MONEY_PLACES + l.p, &x->free_divisor, places + x->quantity_places, fits);
}

/* Return whether the places of one pair's products stay where numbers.h is exact. */
static int places_fit(const Terms *x, const Trial *t, int *fits) {
    i64 entry = x->quantity_places + x->perp_places + x->fill_places, spot = x->quantity_places + x->spot_places;
    i64 flow = x->quantity_places + x->flow_places, most = MOST_PLACES + MONEY_PLACES;
    int ranges = spot >= MONEY_PLACES && spot <= 23 && flow >= MONEY_PLACES && flow <= 23 && entry <= 23
        && x->quantity_places + x->perp_places >= MONEY_PLACES && x->perp_places + x->fill_places <= 22;
    int ratios = t->margin_exit_ratio.p <= 18 && x->mmr.p <= 18;
    int wide = spot + x->fill_places + x->spot_fee.p <= most && entry + x->perp_fee.p <= most && x->leverage.p <= entry;
    /* A quotient by the leverage is booked from 40 digits: no closer to a tie than those tell apart. */
    return ranges && ratios && wide && float_of(lifted(x->leverage.m, entry - MONEY_PLACES, fits)) < 1e20;
}

static void pair_terms(Terms *x, const Rules *rules, const Trial *t, int *fits) {
    i128 scale = lifted(1, t->slippage.p, fits);
    *x = (Terms){.step = rules->step, .min_steps = rules->min_steps, .min_notional = whole(rules->min_notional),
                 .fill_scale = narrowed(scale, fits), .fill_places = t->slippage.p,
                 .spot_fee = t->spot_taker, .perp_fee = t->perp_taker, .leverage = t->leverage,
                 .quantity_places = rules->quantity_places, .spot_places = rules->spot_places,
                 .perp_places = rules->perp_places, .flow_places = rules->flow_places,
                 .mark_places = rules->mark_places, .mmr = rules->mmr};
    x->buy = x->fill_scale + t->slippage.m;
    x->sell = x->fill_scale - t->slippage.m;
    if (!*fits || !places_fit(x, t, fits)) { *fits = 0; return; }
    sizing_terms(x, t, fits);
    i64 notional = x->quantity_places + x->spot_places, more = notional - t->max_position_size.p;
    if (t->max_position_size.p < 0) return;
    /* Whole notionals are compared, so that a finer cap may be cut off. */
    x->size_cap = more >= 0 ? lifted(t->max_position_size.m, more, fits) : t->max_position_size.m / lifted(1, -more, fits);
}

/* Work out the terms of `t` unless they are known; `fits` becomes 0 where one leaves its range. */
static void account_terms(AccountTerms *known, const Window *w, const Trial *t) {
    if (known->account == t->account) return;
    i64 exposure = larger(0, t->max_portfolio_exposure.p - t->slippage.p);
    int fits = 1;
    known->account = t->account;
    for (i64 pair = 0; pair < w->pairs; pair++) {
        const Rules *rules = &w->rules[pair];
        pair_terms(&known->of[pair], rules, t, &fits);
        exposure = larger(exposure, rules->quantity_places + rules->spot_places);
    }
    for (i64 pair = 0; pair < w->pairs; pair++) {
        Terms *x = &known->of[pair];
        x->exposure_scale = lifted(1, exposure - x->quantity_places - x->spot_places, &fits);
    }
    known->has_size_cap = t->max_position_size.p >= 0;
    known->has_exposure_cap = t->max_portfolio_exposure.p >= 0;
    known->exposure_cap = 0;
    if (known->has_exposure_cap)
        known->exposure_cap = lifted(t->max_portfolio_exposure.m, exposure + t->slippage.p - t->max_portfolio_exposure.p, &fits);
    known->fits = fits;
}
#endif
