"""Tables to Chinese sentences, slides, Word brief and Excel ledger; the one place that rounds and words a number."""
