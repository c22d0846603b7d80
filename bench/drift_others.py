"""How fixed thresholds and random rows do on the flights; for `drift_calibration.py`."""


def others_table() -> None:
    """Todo."""
