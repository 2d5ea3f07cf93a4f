"""Causes of what a load showed, found in what was recorded of it.

A rule is a function of `rules` from the `Evidence` of one load to a `Finding`, or None; `diagnose.diagnose` applies all
of them and ranks what they find. A rule reads nothing but its evidence: a run on AWS, a local run and a recorded case
are judged alike.
"""
