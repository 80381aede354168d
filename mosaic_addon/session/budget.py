"""A limit on the work that reading a file may cost, so that a small file cannot ask for much."""

from .errors import MosaicError

FREE = 64 * 2**20
PER_BYTE = 4  # a session that Mosaic wrote needs less than 1
# The cost in bytes of one
GEOMETRY = 1000  # object of a container
ARRAY = 400  # array that views the file
VALUE = 100  # value that is converted
ENTRY = 32  # entry of a dict that is looked through


class Budget:
    """The work that is left for one file, in bytes that are held, copied or looked at.

    A pickle can name the same part thousands of times, in two bytes each. The part is not copied for that, but whoever
    walks or converts it does so each time, and counts the work here.
    """

    __slots__ = ("left",)

    def __init__(self, size: int) -> None:
        self.left = FREE + PER_BYTE * size

    def spend(self, cost: int) -> None:
        """Take `cost` bytes off. Raises MosaicError when none are left."""
        self.left -= cost
        if self.left < 0:
            raise MosaicError(
                "repeats its parts far more often than a session does; it may be harmful and was not opened"
            )
