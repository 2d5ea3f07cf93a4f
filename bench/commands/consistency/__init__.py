"""Whether every task of a live index shows what another has taken, from the moment the upload was answered."""
