"""Recomputes the answers to a report's question from its answers.csv, by the definition in docs/claims.md#the-question, and compares.

    python3 scripts/recompute.py results/control artifacts/report
    python3 scripts/recompute.py results
"""

import csv, glob, json, math, os, sys
import numpy as np
from scipy import optimize, stats


def measure_clusters(e, n):
    """Σ e² of clusters, unbiased where their means scatter alike, and the effective number of clusters minus one."""
    w = n / n.sum()
    return (e**2 / (1 - 2 * w + (w**2).sum())).sum(), 1 / (w**2).sum() - 1


def measure_error(d, n, D):
    """The standard error of D = Σ d / Σ n and its degrees of freedom. d, n: [seeds, users]"""
    if min(n.shape) < 2:
        return math.nan, math.nan
    met, e = n > 0, d - D * n
    by_seed, seed_degrees = measure_clusters(e.sum(axis=1), n.sum(axis=1))
    by_user, user_degrees = measure_clusters(e.sum(axis=0), n.sum(axis=0))
    seeds, users = met.sum(axis=1, keepdims=True), met.sum(axis=0)
    r = met * (e - e.sum(axis=0) / users)
    r = met * (r - r.sum(axis=1, keepdims=True) / seeds)
    F = met.sum() - sum(met.shape) + (met / (seeds * users)).sum()
    rest = met.sum() / F * (r**2).sum() if F > 1e-6 else by_user
    by_seed, by_user = max(by_seed, rest), max(by_user, rest)
    total = by_seed + by_user - rest
    error = math.sqrt(total) / n.sum()
    if error < 1e-12 or min(seed_degrees, user_degrees) < 0.5:  # 0, but for rounding; or nearly all of one cluster
        return math.nan, math.nan
    w = (by_seed if seed_degrees < user_degrees else by_user) / total
    f, m = sorted((seed_degrees, user_degrees))
    t = lambda degrees: stats.t.ppf(0.975, degrees)
    aim = math.sqrt(w * t(f) ** 2 + (1 - w) * t(m) ** 2)
    return error, optimize.brentq(lambda degrees: t(degrees) - aim, f / 2, m + 1)


def name_verdict(arm, margin, rare, is_grouped):
    """Where nearly all answers are right, their number would scatter more if the difference were the margin."""
    factor = (1 + max(0, margin - abs(arm['difference'])) / rare) ** (1 if is_grouped else 0.5)
    reach = stats.t.ppf(0.95, arm['degrees_of_freedom']) * arm['standard_error'] * factor
    is_different, is_small = arm['p_holm'] <= 0.05, abs(arm['difference']) + reach < margin
    return ('slight' if is_small else 'different') if is_different else 'equivalent' if is_small else 'undecided'


def recompute(rows, baseline, endpoint):
    """Each arm's numbers of an endpoint, under their names in question.csv."""
    if 'classes' in endpoint:
        rows = [row for row in rows if int(row['class']) in endpoint['classes']]
    seeds = [run.split('@')[1] for run in rows[0] if run.startswith(baseline + '@')]
    users = np.unique([row['user'] or row['clip'] for row in rows], return_inverse=True)[1]
    right = lambda model: np.array([[float(row[f'{model}@{seed}'] or 'nan') for row in rows] for seed in seeds])
    by_user = lambda values: np.array([np.bincount(users, of_seed) for of_seed in values])
    found, rare, n = {}, {}, by_user(~np.isnan(right(baseline)))
    for arm in endpoint['arms']:
        model, base = arm['model'], right(arm.get('baseline', baseline))
        d = by_user(np.nan_to_num(right(model) - base))
        D = d.sum() / n.sum()
        error, degrees = measure_error(d, n, D)
        p = 2 * stats.t.sf(abs(D) / error, degrees)
        found[model] = dict(difference=D, standard_error=error, degrees_of_freedom=degrees, p=p)
        rare[model] = sum(min(share, 1 - share) for share in map(np.nanmean, (right(model), base)))
        for level in (95, 90):
            reach = stats.t.ppf(0.5 + level / 200, degrees) * error
            found[model] |= {f'low_{level}': D - reach, f'high_{level}': D + reach}
    holm = 0
    p_of = lambda arm: np.nan_to_num(arm['p'], nan=1)
    for rank, (model, arm) in enumerate(sorted(found.items(), key=lambda one: p_of(one[1]))):
        holm = max(holm, min(1, (len(found) - rank) * p_of(arm)))
        arm['p_holm'] = holm if arm['p'] >= 0 else math.nan
        arm['verdict'] = name_verdict(arm, endpoint['margin'], rare[model], len(rows) > users.max() + 1)
    return found


def is_same(value, said):
    if isinstance(value, str) or said in ('', None):
        return value == said or value != value
    return math.isclose(value, float(said), rel_tol=1e-6, abs_tol=1e-9)


wrong = 0
files = [name for one in sys.argv[1:] for name in sorted(glob.glob(f'{one}/**/claims.json', recursive=True))]
if not files:
    sys.exit('expected folders with claims.json and answers.csv, such as results/control')
for folder in map(os.path.dirname, files):
    question = json.load(open(f'{folder}/claims.json')).get('question')
    if question is None:
        print(f'{folder}: its run asked no question, so there is nothing to recompute')
        continue
    rows = list(csv.DictReader(open(f'{folder}/answers.csv')))
    for name in ('question', 'question-second'):
        endpoint = question if name == 'question' else question.get('second')
        if endpoint is None:
            continue
        found = recompute(rows, question['baseline'], endpoint)
        [table] = glob.glob(f'{folder}/figures/*{name}.csv')
        reported = [arm | {'low_95': arm['low'], 'high_95': arm['high']} for arm in endpoint['arms']]
        for said in reported + list(csv.DictReader(open(table))):
            arm = found[said['model']]
            differing = [key for key in arm if key in said and not is_same(arm[key], said[key])]
            wrong += len(differing)
            if differing:
                print(f'{table}, {said["model"]}:', *(f'{key} is {arm[key]}, not {said[key]}' for key in differing))
        print(table, *next(iter(found.values())), sep='\t')
        for model, arm in found.items():
            print(model, *(value if isinstance(value, str) else f'{value:.6f}' for value in arm.values()), sep='\t')
print('all as reported' if wrong == 0 else f'{wrong} values differ from the report')
sys.exit(wrong > 0)
