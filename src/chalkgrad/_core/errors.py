"""The errors that chalkgrad raises beside those of Python."""

__all__ = ["DeviceError", "DivergedError", "LargeGradientError", "ShapeError"]


class ShapeError(ValueError):
    """Two arrays do not fit each other, or one does not fit the network."""


class DeviceError(ValueError):
    """A device that is not there, or two arrays on different ones."""


class DivergedError(ValueError):
    """The loss or its gradient has left the finite numbers."""

    def __init__(self, where: str) -> None:
        # Only what it was made of: an exception is pickled by its arguments.
        super().__init__(where)

    def __str__(self) -> str:
        return (
            f"{self.args[0]}: the loss or its gradient is not finite, so no step was "
            "taken; try a smaller `lr`."
        )


class LargeGradientError(DivergedError):
    """A gradient whose square, or the sum of squares with it, leaves the dtype."""

    def __str__(self) -> str:
        return str(self.args[0])
