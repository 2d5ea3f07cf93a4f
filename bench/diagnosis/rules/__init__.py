"""Rules: one cause each, from the evidence of a load to a finding or None."""
