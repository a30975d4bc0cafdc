"""``read_bin`` of files with NumPy's booleans and integers, and ``write_bin``."""

from __future__ import annotations

import pickle
import pickletools
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from recio import RecordError
from recio.datasets import read_bin, write_bin

if TYPE_CHECKING:
    from pathlib import Path

IMAGES = [b"\xff\xd8 one", b"two\x80", bytes(300), b"four"]
PAIRS = list(zip(IMAGES[::2], IMAGES[1::2], strict=True))
SAME: dict[str, Any] = {
    "booleans": [np.True_, np.False_],
    "integers": [np.int64(1), np.int32(0)],
    "unsigned integers": [np.uint8(1), np.uint16(0)],
    "big-endian integers": list(np.array([1, 0], ">i4")),
    "an array": np.array([True, False]),
    "a strided array": np.array([True, True, False])[::2],
    "an array in Fortran order": np.asfortranarray(np.array([True, False])),
    "a tuple": (np.True_, False),
}


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("same", SAME.values(), ids=SAME)
def test_numpys_booleans_and_integers_are_read(tmp_path: Path, protocol: int, same: Any) -> None:  # noqa: ANN401
    path = tmp_path / "made.bin"
    path.write_bytes(pickle.dumps((IMAGES, same), protocol))
    images, issame = read_bin(path)
    assert (images, issame.tolist()) == (IMAGES, [True, False])
    assert issame.dtype == np.bool_


_DTYPE_STATE = b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00t"
NUMPY_1 = (
    b"\x80\x04]\x94(C\x01aC\x01be]\x94\x8c\x15numpy.core.multiarray\x94\x8c\x06scalar\x94\x93\x94\x8c\x05numpy\x94"
    b"\x8c\x05dtype\x94\x93\x94\x8c\x02b1\x94\x89\x88\x87\x94R\x94(K\x03\x8c\x01|\x94"
    + _DTYPE_STATE
    + b"\x94bC\x01\x01\x94\x86\x94R\x94a\x86\x94."
)
"""As NumPy 1.26.4 and Python 3.11 write ``([b"a", b"b"], [np.bool_(True)])`` in protocol 4."""
PYTHON_2 = (
    b"\x80\x02](U\x01aU\x01be]cnumpy.core.multiarray\nscalar\ncnumpy\ndtype\nU\x02b1K\x00K\x01\x87R(K\x03U\x01|"
    + _DTYPE_STATE
    + b"bU\x01\x01\x86Ra\x86."
)
"""The same as Python 2 writes it in protocol 2: strings of bytes."""


@pytest.mark.parametrize("program", [NUMPY_1, PYTHON_2], ids=["NumPy 1", "Python 2"])
def test_files_of_older_numpys_are_read(tmp_path: Path, program: bytes) -> None:
    path = tmp_path / "old.bin"
    path.write_bytes(program)
    assert read_bin(path).issame.tolist() == [True]


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize(
    "same",
    [
        np.array([1, 0]),
        np.array([1.0, 0.0]),
        np.array([True, False], object),
        np.array([[True], [False]]),
        np.array("true"),
        [np.float64(1), np.float64(0)],
        [np.str_("a"), np.str_("b")],
        [np.datetime64("2020-01-01"), 0],
        np.array([(True, 1)], [("a", "?"), ("b", "i4")]),
        [np.array([True]).view(np.recarray)[0], None],
    ],
    ids=lambda same: str(getattr(same, "dtype", same)),
)
def test_other_values_of_numpy_are_refused(tmp_path: Path, protocol: int, same: Any) -> None:  # noqa: ANN401
    path = tmp_path / "made.bin"
    path.write_bytes(pickle.dumps((IMAGES, same), protocol))
    with pytest.raises(RecordError, match=r"made.bin: not a file of images and booleans: "):
        read_bin(path)


def test_integers_other_than_0_and_1_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "made.bin"
    path.write_bytes(pickle.dumps((IMAGES, [np.int64(2), np.int64(0)])))
    with pytest.raises(RecordError, match="a value of issame is neither true nor false"):
        read_bin(path)


_DTYPE = b"cnumpy\ndtype\n"


@pytest.mark.parametrize(
    "program",
    [
        _DTYPE + b"(X\x01\x00\x00\x00OI00\nI01\ntR.",
        _DTYPE + b"(X\x04\x00\x00\x00b1,OI00\nI01\ntR.",
        _DTYPE + b"(X\x02\x00\x00\x00b1I00\nI01\ntR(K\x04X\x01\x00\x00\x00|" + _DTYPE_STATE + b"b.",
        _DTYPE + b"(X\x02\x00\x00\x00b1I00\nI01\ntRX\x01\x00\x00\x00|b.",
        _DTYPE + b"b.",
        b"cnumpy\nndarray\n)R.",
        b"cnumpy\nndarray\n(K\x05tR.",
        b"cnumpy\nload\n(X\x01\x00\x00\x00atR.",
        b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(J\xff\xff\xff\x7ftC\x01btR.",
        b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(K\x00tC\x01btR(K\x01(J\xff\xff\xff\x7ft" + _DTYPE
        + b"(X\x02\x00\x00\x00b1I00\nI01\ntRI00\nC\x01\x01tb.",
        b"\x80\x04\x8c\x0dnumpy ndarray\x8c\x00\x93.",
        b"\x80\x04\x8c\x05numpy\x8c\x10ndarray.__init__\x93.",
        b"(lNa.",
        b"N.",
    ],
)  # fmt: skip
def test_programs_that_misuse_numpys_names_are_refused(tmp_path: Path, program: bytes) -> None:
    path = tmp_path / "hand.bin"
    path.write_bytes(program)
    with pytest.raises(RecordError, match=r"hand.bin: not a file of images and booleans: "):
        read_bin(path)


class TestWriting:
    """Files that recio writes."""

    @pytest.mark.parametrize("same", [[True, False], [1, 0], np.array([True, False]), iter([np.True_, 0])], ids=type)
    def test_insightfaces_code_and_read_bin_read_the_file(self, tmp_path: Path, same: Any) -> None:  # noqa: ANN401
        """As ``load_bin`` in InsightFace's ``verification.py`` does."""
        path = tmp_path / "lfw.bin"
        write_bin(path, iter(PAIRS), same)
        with path.open("rb") as file:
            bins, issame_list = pickle.load(file, encoding="bytes")  # noqa: S301 written by this test
        assert (bins, issame_list) == (IMAGES, [True, False])
        assert [type(item) for item in issame_list] == [bool, bool]
        assert read_bin(path).images == IMAGES
        assert {opcode.name for opcode, _, _ in pickletools.genops(path.read_bytes())} == {
            "PROTO", "EMPTY_LIST", "MARK", "BINBYTES", "APPENDS", "NEWTRUE", "NEWFALSE", "TUPLE2", "STOP",
        }  # fmt: skip

    def test_large_and_empty_sets(self, tmp_path: Path) -> None:
        path = tmp_path / "lfw.bin"
        write_bin(path, [], [])
        assert read_bin(path).images == []
        write_bin(path, [(b"a", bytearray(b"b"))] * 20_000, [True] * 20_000)
        assert read_bin(path).issame.sum() == 20_000

    def test_arrays_of_bytes_are_images(self, tmp_path: Path) -> None:
        """As ``cv2.imencode`` returns them."""
        image = np.frombuffer(b"\xff\xd8", np.uint8)
        write_bin(tmp_path / "lfw.bin", [(image, memoryview(image.data))], [False])
        assert read_bin(tmp_path / "lfw.bin").images == [b"\xff\xd8"] * 2

    @pytest.mark.parametrize(
        ("pairs", "same", "error", "reason"),
        [
            ([(b"a", b"b")], [], ValueError, "same must have a value for each of 1 pairs, got 0"),
            ([(b"a",)], [True], ValueError, "pair 0 must be two images, got 1"),
            ([b"ab"], [True], ValueError, "pair 0 must be two images, got 1"),
            (
                [(b"a", b"b"), (b"a", b"")],
                [1, 0],
                ValueError,
                r"the images of pair 1 must have 1 to 2\^32-1 bytes, got 0",
            ),
            ([("a.jpg", "b.jpg")], [True], TypeError, "the images of pair 0 must be bytes, got str"),
            ([(b"a", b"b")], [2], TypeError, r"same\[0\] must be True or False, got 2"),
            ([(b"a", b"b")], ["True"], TypeError, r"same\[0\] must be True or False, got 'True'"),
        ],
    )
    def test_other_arguments_leave_no_file(
        self, tmp_path: Path, pairs: list[Any], same: list[Any], error: type[Exception], reason: str
    ) -> None:
        with pytest.raises(error, match=reason):
            write_bin(tmp_path / "lfw.bin", pairs, same)
        assert list(tmp_path.iterdir()) == []
