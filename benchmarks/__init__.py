"""The yardstick: how fast the engine is beside the published pipeline, at the same labels."""
