"""What reading a file may cost, so that a small file cannot ask for much."""

from .errors import MosaicError

FREE = 64 * 2**20
PER_BYTE = 4  # a session that Mosaic wrote needs less than 1
GEOMETRY = 1000  # of one object of a container
ARRAY = 400  # of one array that views the file
VALUE = 100  # of one converted value
ENTRY = 32  # of one entry of a dict that is looked through


class Budget:
    """The work that is left, in bytes that are held, copied or looked at.

    A pickle can name the same part thousands of times, in two bytes each. Nothing of it is copied for that, but whatever
    walks or converts the part does so each time, and counts it here.
    """

    __slots__ = ("left",)

    def __init__(self, size: int) -> None:
        self.left = FREE + PER_BYTE * size

    def spend(self, cost: int) -> None:
        self.left -= cost
        if self.left < 0:
            raise MosaicError(
                "repeats its parts far more often than a session does; it may be harmful and was not opened"
            )
