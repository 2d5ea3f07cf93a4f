"""An index that can be stood up, observed and taken down, wherever it runs."""
