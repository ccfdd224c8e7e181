/* SPDX-License-Identifier: MIT */
/* Double-double arithmetic: a value is the unevaluated sum hi + lo with |lo| <= ulp(hi) / 2, about 106 bits.
   Sums after Knuth, products after Dekker and Veltkamp: no fused operation, so every CPU gives the same bits. The error
   bounds are those of Joldes, Muller and Popescu, "Tight and rigorous error bounds for basic building blocks of
   double-word arithmetic" (2017). Private to common/math. */
#ifndef LH_MATH_DD_H
#define LH_MATH_DD_H

struct dd {
    double hi, lo;
};

/* Exact; needs |a| >= |b| or a == 0. */
static inline struct dd dd_fast_two_sum(double a, double b)
{
    double sum = a + b;
    return (struct dd){sum, b - (sum - a)};
}

/* Exact for all that does not overflow. */
static inline struct dd dd_two_sum(double a, double b)
{
    double sum = a + b;
    double b_part = sum - a;
    return (struct dd){sum, (a - (sum - b_part)) + (b - b_part)};
}

#define DD_SPLITTER 0x1.0000002p+27 /* 2^27 + 1: halves of 26 bits whose products are exact */

/* Exact while nothing underflows and |a|, |b| < 2^996. */
static inline struct dd dd_two_product(double a, double b)
{
    double product = a * b;
    double t = DD_SPLITTER * a;
    double a_hi = t - (t - a);
    double a_lo = a - a_hi;
    t = DD_SPLITTER * b;
    double b_hi = t - (t - b);
    double b_lo = b - b_hi;
    return (struct dd){product, ((a_hi * b_hi - product) + a_hi * b_lo + a_lo * b_hi) + a_lo * b_lo};
}

/* Relative error below 3 * 2^-106 (also when the operands cancel). */
static inline struct dd dd_add(struct dd a, struct dd b)
{
    struct dd s = dd_two_sum(a.hi, b.hi);
    struct dd t = dd_two_sum(a.lo, b.lo);
    s = dd_fast_two_sum(s.hi, s.lo + t.hi);
    return dd_fast_two_sum(s.hi, s.lo + t.lo);
}

static inline struct dd dd_add_double(struct dd a, double b)
{
    struct dd s = dd_two_sum(a.hi, b);
    return dd_fast_two_sum(s.hi, s.lo + a.lo);
}

/* Relative error below 5 * 2^-106. */
static inline struct dd dd_multiply(struct dd a, struct dd b)
{
    struct dd p = dd_two_product(a.hi, b.hi);
    return dd_fast_two_sum(p.hi, p.lo + (a.hi * b.lo + a.lo * b.hi));
}

static inline struct dd dd_multiply_double(struct dd a, double b)
{
    struct dd p = dd_two_product(a.hi, b);
    return dd_fast_two_sum(p.hi, p.lo + a.lo * b);
}

static inline struct dd dd_negate(struct dd a)
{
    return (struct dd){-a.hi, -a.lo};
}

#endif
