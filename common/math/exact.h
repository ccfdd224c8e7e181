/* SPDX-License-Identifier: MIT */
/* Elementary functions that give the same bits on every CPU: only IEEE + - * / and comparisons on doubles, evaluated in
   double-double arithmetic and rounded once (the result is the correctly rounded one in all but about one case in
   2^40). libm's double versions differ between CPUs with and without FMA and must not decide over sound.
   Compiled with -ffp-contract=off. Thread-safe. */
#ifndef LH_MATH_EXACT_H
#define LH_MATH_EXACT_H

double lh_exp(double x); /* overflow to inf, underflow to 0; NaN in, NaN out */
double lh_exp10(double x);
double lh_log(double x); /* x <= 0: -inf at 0, NaN below */
double lh_log1p(double x);
double lh_sin_half_pi(double x); /* sin(x pi/2) for x in 0..1, exact 0 and 1 at the ends */
double lh_cos_half_pi(double x); /* cos(x pi/2) for x in 0..1 */

/* 10^(db/20); -inf gives 0. */
double lh_gain_from_db(double db);

#endif
