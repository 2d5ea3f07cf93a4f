"""Figures of compared indexes: what each round measured, the intervals by bootstrap, and the regression gate."""
