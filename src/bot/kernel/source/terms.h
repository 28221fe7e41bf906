/* Terms of an account: whole constants that put every comparison of one pair over one scale.

   Each comparison of docs/domain.md, section 4, is multiplied through until no quotient is left in it. */
#ifndef CARRYGRID_TERMS_H
#define CARRYGRID_TERMS_H
#include "layout.h"
#include "formulas.gen.h"

typedef struct {
    i128 spot_unit, perp_unit;        /* parts of unit_cost: what one unit ties up, times leverage */
    i128 slot_factor, slot_divisor;   /* steps by slot: base * share * factor / (unit * divisor) */
    i128 free_factor, free_divisor;   /* steps by free cash: the same without share */
    i128 min_notional, size_cap;
    i128 exposure_scale;              /* quantity * spot fill * scale is exposure over places common to all pairs */
    i64 step, min_steps;
    i64 buy, sell, fill_scale, fill_places; /* 1 + slippage, 1 - slippage and 1, over 10**fill_places */
    Number spot_fee, perp_fee, leverage, mmr;
    i64 quantity_places, spot_places, perp_places, flow_places, mark_places;
    /* Of one step, in money units: for each whole price of spot or perp, and for each whole unit flow over `flow_unit`. */
    int has_lines;                    /* whether the first two are whole */
    double spot_step, perp_step, flow_step, flow_unit, per_unit; /* per_unit: 1 / flow_unit */
    /* Nearly: the units as above, steps by slot and by free cash for each unit of money, times unit_cost. */
    double spot_unit_f, perp_unit_f, slot_factor_f, free_factor_f, slot_divisor_f, free_divisor_f;
    /* Every number that a hedge below that quantity can meet stays in the range of exact results. For each unit of quantity: what
       it may add to and take from cash, and the largest payment. */
    double most_quantity, bound, most_paid;
    Number nearest;                   /* of the ratios that end a hedge, the one that it meets first */
} Terms;

typedef struct {
    i64 account, share_places;        /* -1: none yet */
    int fits, has_size_cap, has_exposure_cap;
    i128 exposure_cap;
    Terms of[MOST_PAIRS];
} AccountTerms;

static inline double rough_of(Number x) { return (double)x.m * TENTH[x.p]; }
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

static Term term_of(Number x, int *fits) { return (Term){x.m, x.p, fits}; }

/* Sizing terms: the shares of both legs over common places, and the two budgets. */
static void sizing_terms(Terms *x, const Parameters *own, i64 share_places, int *fits) {
    Term slippage = term_of(own->slippage, fits), leverage = term_of(own->leverage, fits);
    Term spot = spot_share_term(slippage, term_of(own->spot_taker, fits), leverage);
    Term perp = perp_share_term(slippage, term_of(own->perp_taker, fits), leverage);
    i64 places = larger(x->spot_places + spot.p, x->perp_places + perp.p);
    x->spot_unit = lifted(spot.m, places - x->spot_places - spot.p, fits);
    x->perp_unit = lifted(perp.m, places - x->perp_places - perp.p, fits);
    Number l = own->leverage;
    x->slot_factor = times(own->allocation.m, l.m, fits);
    x->slot_divisor = times(own->slots, x->step, fits);
    balance(&x->slot_factor, MONEY_PLACES + own->allocation.p + l.p + share_places, &x->slot_divisor,
            places + x->quantity_places, fits);
    x->free_factor = l.m;
    x->free_divisor = x->step;
    balance(&x->free_factor, MONEY_PLACES + l.p, &x->free_divisor, places + x->quantity_places, fits);
    x->spot_unit_f = float_of(x->spot_unit);
    x->perp_unit_f = float_of(x->perp_unit);
    x->slot_divisor_f = float_of(x->slot_divisor);
    x->free_divisor_f = float_of(x->free_divisor);
    x->slot_factor_f = float_of(x->slot_factor) / x->slot_divisor_f;
    x->free_factor_f = float_of(x->free_factor) / x->free_divisor_f;
}

/* Return whether the places of one pair's products stay where numbers.h is exact. */
static int places_fit(const Terms *x, const Parameters *own, int *fits) {
    i64 entry = x->quantity_places + x->perp_places + x->fill_places, spot = x->quantity_places + x->spot_places;
    i64 flow = x->quantity_places + x->flow_places, most = MOST_PLACES + MONEY_PLACES;
    int ranges = spot >= MONEY_PLACES && spot <= 23 && flow >= MONEY_PLACES && flow <= 23 && entry <= 23
        && x->quantity_places + x->perp_places >= MONEY_PLACES && x->perp_places + x->fill_places <= 22;
    int ratios = own->margin_exit_ratio.p <= 18 && x->mmr.p <= 18;
    int wide = spot + x->fill_places + x->spot_fee.p <= most && entry + x->perp_fee.p <= most && x->leverage.p <= entry;
    /* A quotient by the leverage is booked from 40 digits: no closer to a tie than those tell apart. */
    return ranges && ratios && wide && float_of(lifted(x->leverage.m, entry - MONEY_PLACES, fits)) < 1e20;
}

/* Work out what one step is worth: nothing that is multiplied by it is rounded, nor divided, where its zeros allow that. */
static void step_terms(Terms *x) {
    i64 spot = x->quantity_places + x->spot_places - MONEY_PLACES, perp = x->quantity_places + x->perp_places - MONEY_PLACES;
    i64 flow = x->quantity_places + x->flow_places - MONEY_PLACES, zeros = 0;
    for (i64 step = x->step; step % 10 == 0; step /= 10) zeros++;
    i64 even = zeros < flow ? zeros : flow;
    x->has_lines = spot <= zeros && perp <= zeros;
    x->spot_step = (double)x->step / SCALE[spot];
    x->perp_step = (double)x->step / SCALE[perp];
    x->flow_step = (double)x->step / SCALE[even];
    x->flow_unit = SCALE[flow - even];
    x->per_unit = 1 / x->flow_unit;
}

/* Work out what bounds the quantity of hedges of a pair. */
static void range_terms(Terms *x, const Window *w, i64 pair) {
    double fill = (double)x->fill_scale, spot = w->largest_spot[pair], perp = w->largest_perp[pair], flow = w->largest_flow[pair];
    double spot_units = spot * tenth_of(x->quantity_places + x->spot_places), perp_units = perp * tenth_of(x->quantity_places + x->perp_places);
    double per_flow = tenth_of(x->quantity_places + x->flow_places);
    double most = fmin(EXACT_SUMS, fmin(EXACT_SUMS / w->largest_flow_low[pair], 1e15 / (flow * per_flow)));
    most = fmin(most, 5e14 / fmax(spot_units, perp_units));
    most = fmin(most, 1e37 / (2 * fill * fmax(spot * (double)(x->spot_fee.m + 1), perp * (double)(x->perp_fee.m + 1))));
    most = fmin(most, 1e36 / (2 * fill * spot * float_of(x->exposure_scale)));
    x->most_quantity = perp * fill * 2 < EXACT_SUMS ? most : 0;
    x->bound = 2 * spot_units + 4 * perp_units + w->sum_of_flows[pair] * per_flow;
    x->most_paid = flow * per_flow * 1.000001;
}

/* Put the ratio of maintenance to margin balance that a rising price meets first: liquidation, or the margin exit. */
static void margin_terms(Terms *x, Number exits) {
    double mmr = rough_of(x->mmr), ratio = rough_of(exits);
    int first = ratio / margin_need_rough(SHORT, 1, mmr, ratio) < 1 / margin_need_rough(SHORT, 1, mmr, 1);
    x->nearest = first ? exits : (Number){1, 0};
}

static void pair_terms(Terms *x, const Rules *rules, const Parameters *own, i64 share_places, int *fits) {
    i128 scale = lifted(1, own->slippage.p, fits);
    *x = (Terms){.step = rules->step, .min_steps = rules->min_steps, .min_notional = whole(rules->min_notional),
                 .fill_scale = narrowed(scale, fits), .fill_places = own->slippage.p,
                 .spot_fee = own->spot_taker, .perp_fee = own->perp_taker, .leverage = own->leverage,
                 .quantity_places = rules->quantity_places, .spot_places = rules->spot_places,
                 .perp_places = rules->perp_places, .flow_places = rules->flow_places,
                 .mark_places = rules->mark_places, .mmr = rules->mmr};
    x->buy = x->fill_scale + own->slippage.m;
    x->sell = x->fill_scale - own->slippage.m;
    if (!*fits || !places_fit(x, own, fits)) { *fits = 0; return; }
    sizing_terms(x, own, share_places, fits);
    step_terms(x);
    margin_terms(x, own->margin_exit_ratio);
    i64 notional = x->quantity_places + x->spot_places, more = notional - own->max_position_size.p;
    if (own->max_position_size.p < 0) return;
    /* Whole notionals are compared, so that a finer cap may be cut off. */
    x->size_cap = more >= 0 ? lifted(own->max_position_size.m, more, fits) : own->max_position_size.m / lifted(1, -more, fits);
}

/* Work out the terms of an account unless they are known; `fits` becomes 0 where one leaves its range. */
static void account_terms(AccountTerms *known, const Window *w, i64 account, const Parameters *own, i64 share_places) {
    if (known->account == account && known->share_places == share_places) return;
    i64 exposure = larger(0, own->max_portfolio_exposure.p - own->slippage.p);
    int fits = 1;
    known->account = account;
    known->share_places = share_places;
    for (i64 pair = 0; pair < w->pairs; pair++) {
        const Rules *rules = &w->rules[pair];
        pair_terms(&known->of[pair], rules, own, share_places, &fits);
        exposure = larger(exposure, rules->quantity_places + rules->spot_places);
    }
    for (i64 pair = 0; pair < w->pairs; pair++) {
        Terms *x = &known->of[pair];
        x->exposure_scale = lifted(1, exposure - x->quantity_places - x->spot_places, &fits);
        if (fits) range_terms(x, w, pair);
    }
    known->has_size_cap = own->max_position_size.p >= 0;
    known->has_exposure_cap = own->max_portfolio_exposure.p >= 0;
    known->exposure_cap = 0;
    if (known->has_exposure_cap)
        known->exposure_cap = lifted(own->max_portfolio_exposure.m, exposure + own->slippage.p - own->max_portfolio_exposure.p, &fits);
    known->fits = fits;
}
#endif
