"""The things of the drawn world: one drawing function for each kind of object."""
