"""What all tests share: hypothesis without a deadline, since a busy machine is not a failing test."""

from hypothesis import settings

settings.register_profile("steady", deadline=None)
settings.load_profile("steady")
