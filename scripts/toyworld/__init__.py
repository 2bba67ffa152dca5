"""A drawn world with exact truth: pictures whose every region is known, made from a seed."""
