"""How good answers are, measured: judgements in, rows of metrics with intervals out; and pages that show answers.

One ruler for every claim: whatever says that one encoder is better than another says it through `evaluate`.
"""
