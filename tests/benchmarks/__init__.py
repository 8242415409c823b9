"""`make bench`: what the product reaches, beside what the same machine allows in the same run."""
