"""``FaceRecordDataset`` and ``read_bin``: InsightFace's files, also past 2**24 records, and without pickle."""

from __future__ import annotations

import os
import pickle
import pickletools
import random
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from recio import RecordError
from recio.datasets import FaceRecordDataset, RecordDataset, read_bin
from recio.image import imdecode
from tests.support.faces import FaceSet, write_bin, write_face_set, write_keyed
from tests.support.records import noise, png

if TYPE_CHECKING:
    from collections.abc import Sequence

IMAGE = png(noise(2, 2))


@pytest.fixture
def faces(tmp_path: Path) -> FaceSet:
    """Write a data set of three identities with three, one and two images."""
    return write_face_set(tmp_path)


class TestSet:
    """Complete data sets."""

    def test_data_set_has_images_and_no_other_records(self, faces: FaceSet) -> None:
        dataset = FaceRecordDataset(faces.root)
        assert len(dataset) == len(faces.images)
        for (image, identity), payload, expected in zip(dataset, faces.images, faces.identities, strict=True):
            assert type(identity) is int
            assert identity == expected
            np.testing.assert_array_equal(image, imdecode(payload))

    def test_labels_are_identities(self, faces: FaceSet) -> None:
        labels = FaceRecordDataset(faces.root).labels()
        assert labels.dtype == np.int64
        assert not labels.flags.writeable
        assert labels.tolist() == faces.identities

    def test_each_identity_has_its_samples(self, faces: FaceSet) -> None:
        assert FaceRecordDataset(faces.root).identities() == {0: range(3), 1: range(3, 4), 2: range(4, 6)}

    def test_identity_without_images_is_omitted(self, tmp_path: Path) -> None:
        write_face_set(tmp_path, (0, 2, 0, 1))
        assert FaceRecordDataset(tmp_path).identities() == {1: range(2), 3: range(2, 3)}

    def test_property_file_has_number_of_identities_and_image_size(self, faces: FaceSet) -> None:
        (faces.root / "property").write_text("85742, 112,96\n5822653\n")
        dataset = FaceRecordDataset(faces.root)
        assert (dataset.num_classes, dataset.image_size) == (85742, (112, 96))
        assert dataset.subset([0]).num_classes == 85742

    def test_identities_are_counted_from_labels_without_property_file(self, faces: FaceSet) -> None:
        (faces.root / "property").unlink()
        dataset = FaceRecordDataset(faces.root)
        assert (dataset.num_classes, dataset.image_size) == (3, None)

    @pytest.mark.parametrize("text", ["", "1,2", "1,2,3,4", "1,2,x", "-1,112,112", "1" * 1000])
    def test_damaged_property_file_is_an_error(self, faces: FaceSet, text: str) -> None:
        (faces.root / "property").write_text(text)
        with pytest.raises(RecordError, match=r"property: the first line is .* not identities,height,width"):
            FaceRecordDataset(faces.root)

    @pytest.mark.parametrize("text", ["2,112,112", "0,112,112\n6\n"])
    def test_property_file_with_fewer_identities_than_labels_is_an_error(self, faces: FaceSet, text: str) -> None:
        (faces.root / "property").write_text(text)
        count = int(text[0])
        reason = rf"record 5 at byte \d+: the label 2, but the file property beside it has {count} identities"
        with pytest.raises(RecordError, match=reason):
            FaceRecordDataset(faces.root)

    def test_label_past_the_identities_of_the_property_file_is_an_error(self, tmp_path: Path) -> None:
        """The largest label need not be the last one."""
        write_keyed(tmp_path, [(1, 7, IMAGE), (2, 0, IMAGE), (0, (3, 3), b"")])
        (tmp_path / "property").write_text("2,112,112")
        dataset = FaceRecordDataset(tmp_path)
        assert dataset[1][1] == 0
        for read in (lambda: dataset[0], dataset.labels):
            with pytest.raises(
                RecordError, match="the label 7, but the file property beside it has 2 identities, 0 to 1"
            ):
                read()

    def test_samples_may_be_sliced_undecoded_and_mapped(self, faces: FaceSet) -> None:
        dataset = FaceRecordDataset(faces.root, decode=False, target_transform=str)
        assert dataset[0] == (faces.images[0], "0")
        assert [label for _, label in dataset[3:]] == ["1", "2", "2"]

    def test_data_set_can_be_opened_by_the_path_of_its_record_file(self, faces: FaceSet) -> None:
        by_path = FaceRecordDataset(path_imgrec=faces.root / "train.rec")
        assert (len(by_path), by_path.num_classes) == (6, 3)
        for wrong in ({}, {"root_dir": faces.root, "path_imgrec": "x"}, {"path_imgidx": "x"}):
            with pytest.raises(TypeError, match="one of them"):
                FaceRecordDataset(**wrong)
        with pytest.raises(FileNotFoundError):
            FaceRecordDataset(faces.root / "none")

    def test_without_an_index_ids_are_the_keys(self, faces: FaceSet) -> None:
        (faces.root / "train.idx").unlink()
        dataset = FaceRecordDataset(path_imgrec=faces.root / "train.rec")
        assert dataset.labels().tolist() == faces.identities

    def test_record_0_may_come_first(self, tmp_path: Path) -> None:
        write_keyed(tmp_path, [(0, (3, 4), b""), (1, 5, IMAGE), (2, 5, IMAGE), (3, (1, 3), b"")])
        assert FaceRecordDataset(tmp_path).identities() == {5: range(2)}

    def test_first_of_several_labels_is_the_identity(self, tmp_path: Path) -> None:
        """As in data sets with landmarks."""
        write_keyed(tmp_path, [(0, (3, 4), b""), (1, (7, 0.5), IMAGE), (2, (7, 1.5), IMAGE), (3, (1, 3), b"")])
        dataset = FaceRecordDataset(tmp_path)
        assert (dataset[1][1], dataset.labels().tolist(), dataset.identities()) == (7, [7, 7], {7: range(2)})

    def test_cached_labels_of_other_records_are_ignored(self, faces: FaceSet, tmp_path: Path) -> None:
        cache, idx = tmp_path / "cache", tmp_path / "some.idx"
        idx.write_text("".join((faces.root / "train.idx").read_text().splitlines(keepends=True)[:2]))
        assert len(RecordDataset(faces.root / "train.rec", idx, cache=cache).labels()) == 2
        assert FaceRecordDataset(faces.root, cache=cache).labels().tolist() == faces.identities

    def test_copy_has_the_same_samples(self, faces: FaceSet) -> None:
        dataset = FaceRecordDataset(faces.root)
        assert len(pickle.dumps(dataset)) < 1000 + 3 * len(str(faces.root))
        for original in (dataset, dataset.filter(labels=[0, 2])):
            copy = pickle.loads(pickle.dumps(original))  # noqa: S301 written by this test
            assert copy.labels().tolist() == original.labels().tolist()
            assert (copy.num_classes, copy.identities()) == (3, original.identities())


class TestSubset:
    """Subsets, and data sets written by other tools."""

    def test_identities_of_a_subset(self, faces: FaceSet) -> None:
        dataset = FaceRecordDataset(faces.root)
        assert dataset.filter(labels=[0, 2]).identities() == {0: range(3), 2: range(3, 5)}
        assert dataset.subset([5, 0, 1]).identities() == {2: range(1), 0: range(1, 3)}
        assert dataset.subset([]).identities() == {}

    def test_split_identity_has_no_range(self, faces: FaceSet) -> None:
        with pytest.raises(ValueError, match=r"not all together; group by labels\(\)"):
            FaceRecordDataset(faces.root).subset([0, 4, 1]).identities()

    def test_identities_without_a_record_follow_the_labels(self, tmp_path: Path) -> None:
        """A repaired file may have lost an identity record."""
        images = [(1, 4, IMAGE), (2, 4, IMAGE), (3, 6, IMAGE)]
        write_keyed(tmp_path, [*images, (4, (1, 3), b""), (0, (4, 6), b"")])
        assert FaceRecordDataset(tmp_path).identities() == {4: range(2), 6: range(2, 3)}

    def test_file_without_identity_records_is_accepted(self, tmp_path: Path) -> None:
        """Files of im2rec and of InsightFace's shuffling have no record 0 and any keys."""
        write_keyed(tmp_path, [(4, 1, IMAGE), (0, 0, IMAGE), (2, 0, IMAGE)])
        dataset = FaceRecordDataset(tmp_path)
        assert (dataset.labels().tolist(), dataset.num_classes) == ([1, 0, 0], 2)
        assert dataset.identities() == {1: range(1), 0: range(1, 3)}

    def test_first_image_with_two_labels_is_not_record_0(self, tmp_path: Path) -> None:
        write_keyed(tmp_path, [(0, (3, 4), IMAGE), (1, (5, 6), IMAGE)])
        assert FaceRecordDataset(tmp_path).labels().tolist() == [3, 5]

    def test_identities_without_identity_records(self, tmp_path: Path) -> None:
        write_keyed(tmp_path, [(0, (3, 3), b""), (1, 8, IMAGE), (2, 9, IMAGE)])
        assert FaceRecordDataset(tmp_path).identities() == {8: range(1), 9: range(1, 2)}


@pytest.mark.filterwarnings("ignore:the label")
class TestPast24Bits:
    """float32 holds integers exactly only up to 2**24; WebFace42M has 42,474,557 images."""

    @pytest.mark.parametrize(
        "boundary",
        [*range((1 << 24) - 2, (1 << 24) + 4), *range((1 << 25) - 3, (1 << 25) + 6), *range(42_474_554, 42_474_564)],
    )
    def test_images_end_at_the_identity_records(self, tmp_path: Path, boundary: int) -> None:
        """Only the records near the boundary are written; no others are read."""
        keys = range(boundary - 6, boundary)
        identities = [(boundary + n, (1, boundary), b"") for n in range(6)]
        record_0 = (0, (boundary, boundary + 6), b"")
        write_keyed(tmp_path, [*((key, key % 2, IMAGE) for key in keys), *identities, record_0])
        dataset = FaceRecordDataset(tmp_path)
        assert dataset.ids().tolist() == list(keys)

    def test_identities_follow_the_labels_of_their_images(self, tmp_path: Path) -> None:
        start = 1 << 25
        images = [(start + n, n // 3, IMAGE) for n in range(9)]
        identities = [(start + 9 + n, (start + 3 * n, start + 3 * n + 3), b"") for n in range(3)]
        write_keyed(tmp_path, [*images, *identities, (0, (start + 9, start + 12), b"")])
        assert FaceRecordDataset(tmp_path).identities() == {0: range(3), 1: range(3, 6), 2: range(6, 9)}


class TestContradictions:
    """Labels that contradict the records."""

    @pytest.mark.parametrize("first", [2, 4, 5, 0, -1, 2.5, 1e30, float("nan"), float("inf")])
    def test_record_0_must_point_past_the_images(self, tmp_path: Path, first: float) -> None:
        write_keyed(tmp_path, [(1, 0, IMAGE), (2, 0, IMAGE), (3, (1, 3), b""), (4, (1, 3), b""), (0, (first, 9), b"")])
        with pytest.raises(RecordError, match=r"record 4 at byte .* but its label ends the images before the key") as c:
            FaceRecordDataset(tmp_path)
        assert (c.value.path, c.value.record) == (str(tmp_path / "train.rec"), 4)

    @pytest.mark.parametrize(
        "labels", [7, (1, 2, 3), (0, 3), (2, 1), (1, 4), (float("nan"), 3), (1, float("inf")), (-1, -1)]
    )
    def test_identity_records_must_name_images(self, tmp_path: Path, labels: float | Sequence[float]) -> None:
        write_keyed(tmp_path, [(1, 0, IMAGE), (2, 0, IMAGE), (3, (1, 3), b""), (4, labels, b""), (0, (3, 5), b"")])
        with pytest.raises(RecordError, match=r"record 3 at byte .*: its labels are no range of images"):
            FaceRecordDataset(tmp_path).identities()

    def test_identities_must_not_share_images(self, tmp_path: Path) -> None:
        write_keyed(tmp_path, [(1, 0, IMAGE), (2, 0, IMAGE), (3, (1, 3), b""), (4, (2, 3), b""), (0, (3, 5), b"")])
        with pytest.raises(ValueError, match="not all together"):
            FaceRecordDataset(tmp_path).identities()

    @pytest.mark.parametrize("label", [0.5, float("nan"), float("inf")])
    def test_label_must_be_an_integer(self, tmp_path: Path, label: float) -> None:
        write_keyed(tmp_path, [(1, 0, IMAGE), (2, label, IMAGE), (0, (3, 3), b"")])
        dataset = FaceRecordDataset(tmp_path)
        for read in (lambda: dataset[1], dataset.labels):
            with pytest.raises(RecordError, match=f"record 1 .*: the label {label} is not the number of an identity"):
                read()


class Evil:
    """Object whose pickle calls a function when it is loaded."""

    def __init__(self, function: Any, *arguments: Any) -> None:  # noqa: ANN401 anything
        self.call = function, arguments

    def __reduce__(self) -> Any:  # noqa: ANN401 as the protocol of pickle requires
        return self.call


class TestPairs:
    """Verification files of image pairs."""

    IMAGES = (b"\xff\xd8 one", b"", bytes(300), b"four")
    ISSAME = (True, False)

    @pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
    def test_file_of_python_3_is_read(self, tmp_path: Path, protocol: int) -> None:
        path = write_bin(tmp_path / "lfw.bin", [*self.IMAGES[:1], *self.IMAGES[2:], b"4"], self.ISSAME, protocol)
        images, issame = read_bin(path)
        assert images == [*self.IMAGES[:1], *self.IMAGES[2:], b"4"]
        assert issame.dtype == np.bool_
        assert issame.tolist() == list(self.ISSAME)

    @pytest.mark.parametrize(
        "program",
        [
            b"\x80\x02]q\x00(U\x03\xff\xd8aq\x01T\x03\x00\x00\x00\x00\x80be]q\x02\x88a\x86q\x03.",
            b"(]q\x00(U\x03\xff\xd8aq\x01U\x03\x00\x80bq\x02e]q\x03I01\natq\x04.",
        ],
        ids=["protocol 2", "protocol 1"],
    )
    def test_file_of_python_2_is_read(self, tmp_path: Path, program: bytes) -> None:
        path = tmp_path / "old.bin"
        path.write_bytes(program)
        assert pickle.loads(program, encoding="latin-1")[1] == [True]  # noqa: S301 written by this test
        images, issame = read_bin(path)
        assert (images, issame.tolist()) == ([b"\xff\xd8a", b"\x00\x80b"], [True])

    def test_repeated_image_is_stored_once(self, tmp_path: Path) -> None:
        image = bytes(1000)
        path = write_bin(tmp_path / "lfw.bin", [image] * 100, [True] * 50)
        assert path.stat().st_size < 2000
        assert read_bin(path).images == [image] * 100

    @pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
    @pytest.mark.parametrize("location", ["content", "image", "issame"])
    def test_nothing_in_the_file_is_run(self, tmp_path: Path, protocol: int, location: str) -> None:
        touched = tmp_path / "touched"
        evil = Evil(os.system, f"touch {touched}")
        content = {"content": evil, "image": ([evil, b""], [True]), "issame": ([b"", b""], [evil])}[location]
        path = tmp_path / "evil.bin"
        path.write_bytes(pickle.dumps(content, protocol))
        with pytest.raises(RecordError, match=r"evil.bin: .* byte .*: the pickle opcode .* is refused"):
            read_bin(path)
        assert not touched.exists()
        pickle.loads(path.read_bytes())  # noqa: S301 the attack is a real one
        assert touched.exists()

    @pytest.mark.parametrize(("name", "other"), [(b"_codecs\nencode", b"_codecs\nlookup"), (b"latin1", b"latin9")])
    def test_only_the_one_known_function_is_accepted(self, tmp_path: Path, name: bytes, other: bytes) -> None:
        program = pickle.dumps(([b"\xff", b"two"], [True]), 2)
        assert name in program
        path = tmp_path / "other.bin"
        path.write_bytes(program.replace(name, other))
        with pytest.raises(RecordError, match=r"the pickle opcode .* is refused"):
            read_bin(path)

    @pytest.mark.parametrize(
        "attack",
        [
            Evil(eval, "__import__('os')"),
            Evil(getattr, "", "upper"),
            Evil(bytearray, 1 << 40),
            Evil(bytes.__mul__, b"a", 1 << 40),
            Path("/"),
            np.zeros(3, np.uint8),
            np.float32(1),
            np.array([True]).astype(object),
            {1: 2},
            {1},
            1.5,
            None,
        ],
        ids=lambda attack: type(attack).__name__,
    )
    def test_other_objects_are_refused(self, tmp_path: Path, attack: object) -> None:
        path = tmp_path / "other.bin"
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
            path.write_bytes(pickle.dumps(([attack, b""], [True]), protocol))
            with pytest.raises(RecordError, match=r"the pickle opcode .* is refused"):
                read_bin(path)

    @pytest.mark.parametrize(
        "program",
        [
            b"cposix\nsystem\n(S'true'\ntR.",
            b"\x80\x04\x8c\x05posix\x8c\x06system\x93\x8c\x04true\x85R.",
            b"c_codecs\nencode\n(X\x01\x00\x00\x00aX\x04\x00\x00\x00utf8tR.",
            b"c_codecs\nencode\n(X\x01\x00\x00\x00at\x81.",
            b"X\x01\x00\x00\x00a(X\x01\x00\x00\x00aX\x06\x00\x00\x00latin1tR.",
            b"(iposix\nsystem\n.",
            b"\x80\x02r\xff\xff\xff\x7f.",
            b"\x80\x04\x8e\xff\xff\xff\xff\xff\xff\xff\x7fa.",
            b"\x80\x04\x95\xff\xff\xff\xff\xff\xff\xff\xffN.",
            b"e.",
            b"a.",
            b"]",
            b".",
            b"",
            b"]].",
            b"h\x07.",
            b"I" + b"9" * 5000 + b"\n.",
            b"\x82\x01.",
            b"P1\n.",
            b"not a pickle",
        ],
    )
    def test_handwritten_programs_are_refused(self, tmp_path: Path, program: bytes) -> None:
        path = tmp_path / "hand.bin"
        path.write_bytes(program)
        with pytest.raises(RecordError, match=r"hand.bin: not a file of images and booleans: "):
            read_bin(path)

    @pytest.mark.parametrize(
        ("content", "reason"),
        [
            ([b"a", b"b"], "not a pair of lists"),
            (([b"a", b"b"], [True], []), "not a pair of lists"),
            (([b"a", "b"], [True]), "an image is not bytes"),
            (([b"a", b"b"], [2]), "neither true nor false"),
            (([b"a", b"b"], [b"a"]), "neither true nor false"),
            (([b"a", b"b"], [True, False]), "2 images for 2 pairs"),
        ],
    )
    def test_other_contents_are_refused(self, tmp_path: Path, content: object, reason: str) -> None:
        path = tmp_path / "other.bin"
        path.write_bytes(pickle.dumps(content))
        with pytest.raises(RecordError, match=reason) as caught:
            read_bin(path)
        assert caught.value.path == str(path)

    def test_too_large_file_is_not_read(self, tmp_path: Path) -> None:
        path = write_bin(tmp_path / "lfw.bin", self.IMAGES, self.ISSAME)
        size = path.stat().st_size
        assert len(read_bin(path, max_bytes=size).images) == 4
        with pytest.raises(RecordError, match=f"more than max_bytes={size - 1} bytes"):
            read_bin(path, max_bytes=size - 1)

    def test_missing_file_is_a_file_not_found_error(self, tmp_path: Path) -> None:
        with pytest.raises(FileNotFoundError):
            read_bin(tmp_path / "none.bin")

    @pytest.mark.parametrize("protocol", [0, 2, 4])
    def test_truncated_file_is_an_error(self, tmp_path: Path, protocol: int) -> None:
        content = write_bin(tmp_path / "lfw.bin", [b"\xff\xd8", b"", b"3", b"4"], self.ISSAME, protocol).read_bytes()
        path = tmp_path / "cut.bin"
        for end in range(len(content)):
            path.write_bytes(content[:end])
            with pytest.raises(RecordError):
                read_bin(path)

    def test_damaged_file_is_read_or_refused(self, tmp_path: Path) -> None:
        rng, path = random.Random(5), tmp_path / "damaged.bin"
        refused = 0
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
            content = bytearray(pickle.dumps(([b"\xff\xd8", b"", b"3", b"4"], list(self.ISSAME)), protocol))
            for _ in range(200):
                damaged = content.copy()
                damaged[rng.randrange(len(content))] = rng.choice(bytes(map(ord, _CODES)))
                path.write_bytes(damaged)
                try:
                    assert all(type(image) is bytes for image in read_bin(path).images)
                except RecordError:
                    refused += 1
        assert refused > 400


_CODES = [opcode.code for opcode in pickletools.opcodes]
