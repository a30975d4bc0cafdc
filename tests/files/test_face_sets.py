"""Face data sets of InsightFace in merge, split, shuffle, info, verify and repair: they stay sound face data sets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

import recio
from recio import RecordError, _recio
from recio.datasets import FaceRecordDataset, RecordDataset
from recio.files import info, merge, shuffle, split, verify
from recio.image import ImageIter
from recio.io import ImageRecordIter
from recio.recordio import MXIndexedRecordIO, MXRecordIO, rec2idx, unpack
from tests.support.faces import FaceSet, write_face_set, write_keyed
from tests.support.records import labels, noise, png

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from recio._recio import RemotePath


def face_set(root: Path, counts: Sequence[int], seed: int = 0) -> FaceSet:
    """Write a face data set with small images that differ from those of other seeds."""
    root.mkdir()
    return write_face_set(root, counts, [png(noise(4, 4, seed=100 * seed + n)) for n in range(sum(counts))])


@pytest.fixture
def sets(tmp_path: Path) -> list[FaceSet]:
    """Write three sets of 3, 2 and 1 identities."""
    return [face_set(tmp_path / name, counts, n) for n, (name, counts) in enumerate(SETS.items())]


SETS = {"a": (3, 1, 2), "b": (2, 2), "c": (1,)}


def insightface(rec: Path | RemotePath) -> tuple[list[tuple[int, bytes]], dict[int, tuple[int, int]]]:
    """Return (label, image) of each sample, and the range of each identity record, as InsightFace's code reads them.

    By the rules of ``MXFaceDataset`` in arcface_torch and of ``FaceImageIter``.
    """
    with MXIndexedRecordIO(rec.with_suffix(".idx"), rec, "r") as reader:
        header, _ = unpack(reader.read_idx(0))
        assert header.flag == 2
        first, last = (int(label) for label in header.label)
        ranges = {}
        for key in range(first, last):
            start, end = unpack(reader.read_idx(key))[0].label
            ranges[key] = (int(start), int(end))
        samples = []
        for key in range(1, first):
            header, image = unpack(reader.read_idx(key))
            label = header.label if header.flag == 0 else header.label[0]
            assert header.id == key
            samples.append((int(label), image))
        assert sorted(reader.keys) == list(range(last))
    return samples, ranges


def labels_of_ranges(rec: Path | RemotePath) -> list[set[int]]:
    """Return the labels of the images of each identity record; together they are all images."""
    samples, ranges = insightface(rec)
    assert [key for start, end in ranges.values() for key in range(start, end)] == list(range(1, len(samples) + 1))
    return [{samples[key - 1][0] for key in range(start, end)} for start, end in ranges.values()]


class TestMerge:
    def test_identities_follow_those_of_the_files_before(self, sets: list[FaceSet], tmp_path: Path) -> None:
        (tmp_path / "out").mkdir()
        out = tmp_path / "out" / "train.rec"
        report = merge([faces.root / "train.rec" for faces in sets], out, checksum=True)
        expected = [0, 0, 0, 1, 2, 2, 3, 3, 4, 4, 5]
        images = [image for faces in sets for image in faces.images]
        assert insightface(out)[0] == list(zip(expected, images, strict=True))
        assert labels_of_ranges(out) == [{n} for n in range(6)]
        assert (report.records, report.identities) == (18, 6)
        assert (out.parent / "property").read_text() == "6,112,112\n"
        dataset = FaceRecordDataset(out.parent)
        assert (len(dataset), dataset.num_classes, dataset.image_size) == (11, 6, (112, 112))
        assert dataset.identities()[4] == range(8, 10)
        assert verify(out).ok
        with recio.io.ImageRecordIter(path_imgrec=out, data_shape=(3, 4, 4), batch_size=11) as batches:
            assert labels(next(batches)) == expected

    def test_property_counts_identities_without_images(self, sets: list[FaceSet], tmp_path: Path) -> None:
        (sets[0].root / "property").write_text("7,112,112")
        out = tmp_path / "merged.rec"
        merge([faces.root / "train.rec" for faces in sets[:2]], out)
        assert [label for label, _ in insightface(out)[0]] == [0, 0, 0, 1, 2, 2, 7, 7, 8, 8]
        assert (tmp_path / "property").read_text() == "9,112,112\n"

    def test_without_property_files_labels_and_images_are_counted(self, sets: list[FaceSet], tmp_path: Path) -> None:
        for faces in sets:
            (faces.root / "property").unlink()
        merge([faces.root / "train.rec" for faces in sets], tmp_path / "merged.rec")
        assert (tmp_path / "property").read_text() == "6,4,4\n"

    @pytest.mark.parametrize("label", [lambda n: (float(n), 1.0), lambda n: (n, 0.5, 0.25)], ids=["two", "three"])
    def test_other_labels_and_keys_are_kept_or_renumbered(self, tmp_path: Path, label: Any) -> None:  # noqa: ANN401
        """The images may have several labels, sparse keys and any order in the file."""
        image = png(noise(4, 4))
        for name in "ab":
            (tmp_path / name).mkdir()
            rows = [(0, (9, 10), b""), (9, (2, 9), b""), (7, label(1), image), (2, label(0), image)]
            write_keyed(tmp_path / name, rows)
        out = tmp_path / "merged.rec"
        assert merge([tmp_path / name / "train.rec" for name in "ab"], out).renumbered
        assert [n for n, _ in insightface(out)[0]] == [0, 1, 2, 3]
        with MXIndexedRecordIO(out.with_suffix(".idx"), out, "r") as reader:
            header, _ = unpack(reader.read_idx(4))
        assert header.label.tolist() == [3.0, *label(1)[1:]]

    @pytest.mark.parametrize("other", [0.5, 7.0], ids=["others stay", "equal in one image"])
    def test_labels_that_repeat_the_identity_are_renumbered_like_it(self, tmp_path: Path, other: float) -> None:
        image = png(noise(4, 4))
        for name in "ab":
            (tmp_path / name).mkdir()
            rows = [(n, (n - 1.0, other, n - 1.0), image) for n in (1, 2)]
            write_keyed(tmp_path / name, [*rows, (3, (1, 2), b""), (4, (2, 3), b""), (0, (3, 5), b"")])
        merge([tmp_path / name / "train.rec" for name in "ab"], tmp_path / "merged.rec")
        expected = [[n, other, n] for n in range(4)]
        assert RecordDataset(tmp_path / "merged.rec").labels().tolist() == expected

    def test_shards_beside_one_property_file_share_their_identities(self, sets: list[FaceSet], tmp_path: Path) -> None:
        original = sets[0].root / "train.rec"
        (tmp_path / "parts").mkdir()
        shards = split(original, 3, tmp_path / "parts" / "train")
        merge([shard.rec for shard in shards], tmp_path / "merged.rec")
        assert insightface(tmp_path / "merged.rec") == insightface(original)
        assert (tmp_path / "property").read_text() == (sets[0].root / "property").read_text()

    def test_files_without_header_record_but_with_property_are_merged_too(self, tmp_path: Path) -> None:
        """As written by InsightFace's ``RecBuilder`` and shuffling, which write only images."""
        image = png(noise(4, 4))
        for name in "ab":
            (tmp_path / name).mkdir()
            write_keyed(tmp_path / name, [(n, n // 2, image) for n in range(4)])
            (tmp_path / name / "property").write_text("2,4,4\n4\n")
        report = merge([tmp_path / name / "train.rec" for name in "ab"], tmp_path / "merged.rec")
        dataset = FaceRecordDataset(path_imgrec=report.rec)
        assert (dataset.labels().tolist(), dataset.num_classes) == ([0, 0, 1, 1, 2, 2, 3, 3], 4)
        assert (report.records, report.identities) == (8, None)

    def test_ordinary_files_keep_their_labels(self, tmp_path: Path) -> None:
        for name in "ab":
            (tmp_path / name).mkdir()
            write_keyed(tmp_path / name, [(n, n, b"x") for n in range(2)])
        merge([tmp_path / name / "train.rec" for name in "ab"], tmp_path / "merged.rec")
        assert RecordDataset(tmp_path / "merged.rec").labels().tolist() == [0, 1, 0, 1]
        assert not (tmp_path / "property").exists()

    def test_face_and_ordinary_files_are_not_mixed(self, sets: list[FaceSet], tmp_path: Path) -> None:
        (tmp_path / "plain").mkdir()
        write_keyed(tmp_path / "plain", [(0, 1, b"x")])
        recs = [sets[0].root / "train.rec", tmp_path / "plain" / "train.rec"]
        for order in (recs, recs[::-1]):
            with pytest.raises(ValueError, match=r"a/train.rec: a face data set, but .*plain/train.rec is none"):
                merge(order, tmp_path / "merged.rec")

    def test_images_of_different_sizes_are_refused(self, sets: list[FaceSet], tmp_path: Path) -> None:
        (sets[1].root / "property").write_text("2,96,112")
        with pytest.raises(
            ValueError, match=r"b/property: images of 96x112 pixels, but those of .*a/train.rec have 112x"
        ):
            merge([faces.root / "train.rec" for faces in sets], tmp_path / "merged.rec")

    def test_property_of_another_set_is_not_overwritten(self, sets: list[FaceSet]) -> None:
        """The new one then has the name of its record file, or of all shards."""
        recs, folder = [faces.root / "train.rec" for faces in sets], sets[0].root
        for size, count in ((3, 6), (2, 5)):
            merge(recs[:size], folder / "merged.rec")
            assert FaceRecordDataset(path_imgrec=folder / "merged.rec").num_classes == count
        shards = split(recs[2], 1, folder / "part")
        assert FaceRecordDataset(path_imgrec=shards[0].rec).num_classes == 1
        shuffle(recs[1], folder / "shuffled.rec", seed=0)
        assert sorted(path.name for path in folder.glob("*property")) == [
            "merged.property",
            "part.property",
            "property",
            "shuffled.property",
        ]
        assert FaceRecordDataset(folder).num_classes == 3

    def test_shards_in_a_folder_of_another_set_share_their_identities(self, sets: list[FaceSet]) -> None:
        shards = split(sets[1].root / "train.rec", 3, sets[0].root / "part")
        merge([shard.rec for shard in shards], sets[2].root / "merged.rec")
        assert insightface(sets[2].root / "merged.rec") == insightface(sets[1].root / "train.rec")

    @pytest.mark.parametrize(("label", "reason"), [(0.5, "not the number of an identity"), (9, "has 2 identities")])
    def test_labels_must_be_identities(self, sets: list[FaceSet], tmp_path: Path, label: float, reason: str) -> None:
        image = png(noise(4, 4))
        write_keyed(sets[1].root, [(1, 0, image), (2, label, image), (0, (3, 3), b"")])
        with pytest.raises(RecordError, match=rf"b/train.rec: record 1 \(id 2\) at byte .*{reason}"):
            merge([faces.root / "train.rec" for faces in sets], tmp_path / "merged.rec")

    def test_a_set_that_contradicts_itself_is_refused(self, sets: list[FaceSet], tmp_path: Path) -> None:
        """Such as two sets in one file."""
        one: Any = [((2, 3), b""), (0.0, b"x"), ((1, 2), b"")]
        rows = [(n, header, image) for n, (header, image) in enumerate(one * 2)]
        write_keyed(sets[1].root, rows)
        for run in (
            lambda: merge([faces.root / "train.rec" for faces in sets], tmp_path / "merged.rec"),
            lambda: split(sets[1].root / "train.rec", 2),
            lambda: shuffle(sets[1].root / "train.rec", tmp_path / "shuffled.rec", seed=0),
        ):
            with pytest.raises(
                RecordError, match=r"b/train.rec: .* this is the header record of a face data set, but its"
            ):
                run()
        assert not verify(sets[1].root / "train.rec").ok


class TestSetsThatWereAppended:
    """Two sets in one file, as ``cat a.rec b.rec`` writes it, wherever their header records are."""

    @pytest.fixture(params=["header last", "header first"])
    def rec(self, request: pytest.FixtureRequest, sets: list[FaceSet], tmp_path: Path) -> Path:
        """Write the file."""
        rec = tmp_path / "cat.rec"
        for faces in sets[:2]:
            with MXIndexedRecordIO(faces.root / "train.idx", faces.root / "train.rec", "r") as reader:
                records = {key: reader.read_idx(key) for key in reader.keys}
            keys = sorted(records) if request.param == "header first" else [*records]
            with MXRecordIO(tmp_path / "one.rec", "w") as writer:
                for key in keys:
                    writer.write(records[key])
            with rec.open("ab") as file:
                file.write((tmp_path / "one.rec").read_bytes())
        return rec

    def test_they_are_refused_by_name_everywhere(self, rec: Path) -> None:
        data: Any = {"path_imgrec": str(rec), "data_shape": (3, 4, 4), "batch_size": 2}
        for read in (
            lambda: RecordDataset(rec),
            lambda: FaceRecordDataset(path_imgrec=rec),
            lambda: ImageRecordIter(**data),
            lambda: ImageRecordIter(**data, on_error="skip"),
            lambda: ImageIter(**data),
            lambda: rec2idx(rec, rec.with_suffix(".idx")),
            lambda: rec2idx(rec, rec.with_suffix(".idx"), images_only=True),
            lambda: merge([rec], rec.with_name("out.rec")),
            lambda: split(rec, 2),
        ):
            with pytest.raises(RecordError, match=r"cat.rec: .*header record of a face data set.*`recio merge`"):
                read()
        assert not verify(rec).ok
        assert not rec.with_suffix(".idx").exists()

    def test_an_index_that_lists_them_is_refused(self, rec: Path) -> None:
        """As tools write it that number the records in the order of the file."""
        index = _recio.Index.scan(_recio.Reader(str(rec)))
        idx = rec.with_suffix(".idx")
        idx.write_text("".join(f"{key}\t{index.offset(int(key))}\n" for key in index.keys()))  # noqa: SIM118 no dict
        data: Any = {"path_imgrec": rec, "data_shape": (3, 4, 4), "batch_size": 2}
        for read in (lambda: RecordDataset(rec), lambda: ImageRecordIter(**data, path_imgidx=idx, on_error="skip")):
            with pytest.raises(RecordError, match=r"cat.rec: .*header record of a face data set.*`recio merge`"):
                read()


class TestSplit:
    @pytest.mark.parametrize("num_shards", [1, 2, 3, 6])
    def test_shards_are_face_data_sets(self, sets: list[FaceSet], num_shards: int, tmp_path: Path) -> None:
        (tmp_path / "parts").mkdir()
        shards = split(sets[0].root / "train.rec", num_shards, tmp_path / "parts" / "p")
        samples = [sample for shard in shards for sample in insightface(shard.rec)[0]]
        assert samples == list(zip(sets[0].identities, sets[0].images, strict=True))
        for shard in shards:
            assert all(len(found) == 1 for found in labels_of_ranges(shard.rec))
            dataset = FaceRecordDataset(path_imgrec=shard.rec)
            assert (len(dataset), dataset.num_classes) == (6 // num_shards, 3)
            assert [label for _, label in dataset] == dataset.labels().tolist()
            assert verify(shard.rec).ok

    def test_each_shard_needs_an_image(self, sets: list[FaceSet]) -> None:
        with pytest.raises(ValueError, match="6 images cannot be split into 7 shards"):
            split(sets[0].root / "train.rec", 7)

    def test_without_a_property_file_one_is_written(self, sets: list[FaceSet]) -> None:
        (sets[0].root / "property").unlink()
        shards = split(sets[0].root / "train.rec", 2)
        assert (sets[0].root / "property").read_text() == "3,4,4\n"
        assert [shard.identities for shard in shards] == [1, 2]


class TestOthers:
    def test_shuffled_set_has_the_same_samples_by_key(self, sets: list[FaceSet], tmp_path: Path) -> None:
        (tmp_path / "out").mkdir()
        report = shuffle(sets[0].root / "train.rec", tmp_path / "out" / "train.rec", seed=1)
        assert insightface(report.rec) == insightface(sets[0].root / "train.rec")
        assert RecordDataset(report.rec).ids().tolist() != sorted(RecordDataset(report.rec).ids().tolist())
        assert FaceRecordDataset(tmp_path / "out").num_classes == 3
        with MXIndexedRecordIO(report.idx, report.rec, "r") as reader:
            assert list(reader.keys)[-4:] == [0, 7, 8, 9]

    def test_info_counts_identity_records_and_not_their_labels(self, sets: list[FaceSet]) -> None:
        for has_index in (True, False):
            summary = info(sets[0].root / "train.rec")
            assert (summary.records, summary.identities) == (10, 3)
            assert (summary.label_widths, summary.labels) == ({1: 6}, (0, 2))
            assert summary.formats == {"png": 6, "none": 4}
            if has_index:
                (sets[0].root / "train.idx").unlink()

    def test_info_of_other_files_has_no_identities(self, tmp_path: Path) -> None:
        write_keyed(tmp_path, [(0, (2.0, 5.0), b""), (1, 7.0, b"x"), (2, 7.0, b"x")])
        summary = info(tmp_path / "train.rec")
        assert (summary.identities, summary.label_widths, summary.labels) == (None, {1: 2, 2: 1}, (2, 7))

    def test_verify_counts_and_checks_identity_records(self, sets: list[FaceSet]) -> None:
        report = verify(sets[0].root / "train.rec")
        assert (report.ok, report.identities) == (True, 3)
        image = png(noise(4, 4))
        write_keyed(sets[1].root, [(1, 0, image), (2, 0, image), (3, (1, 9), b""), (0, (3, 4), b"")])
        report = verify(sets[1].root / "train.rec")
        assert [(problem.kind, problem.reason) for problem in report.problems] == [
            ("header", "its labels are no range of images")
        ]

    @pytest.mark.parametrize("lost", [0, 2, 9, 7], ids=["first image", "image", "header record", "identity record"])
    def test_repaired_set_is_read_without_the_lost_record(self, sets: list[FaceSet], tmp_path: Path, lost: int) -> None:
        rec = sets[0].root / "train.rec"
        offsets = [int(line.split()[1]) for line in (sets[0].root / "train.idx").read_text().splitlines()]
        content = bytearray(rec.read_bytes())
        content[offsets[lost]] ^= 1
        rec.write_bytes(content)
        (tmp_path / "out").mkdir()
        recio.repair(rec, tmp_path / "out" / "train.rec")
        kept = [label for n, label in enumerate(sets[0].identities) if n != lost]
        dataset = FaceRecordDataset(tmp_path / "out")
        assert (dataset.labels().tolist(), dataset.num_classes) == (kept, 3)
        assert sum(map(len, dataset.identities().values())) == len(kept)
        assert RecordDataset(tmp_path / "out" / "train.rec").labels().tolist() == kept
