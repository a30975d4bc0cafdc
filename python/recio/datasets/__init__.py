"""Map-style data sets: record files as sequences of samples with random access.

PyTorch's ``DataLoader``, Grain and Keras take such objects; none of these libraries is imported here. Several threads
may read a data set at once, forked processes inherit it, and it can be pickled for spawned ones.

`RecordDataset` reads any ``.rec``, and `FaceRecordDataset` those of InsightFace, whose verification files `read_bin`
reads and `write_bin` writes. For batches made by native threads, see `recio.io`.
"""

from recio.datasets._face_dataset import FaceRecordDataset
from recio.datasets._record_dataset import RecordDataset
from recio.datasets._verification_pairs import VerificationPairs, read_bin, write_bin

__all__ = ["FaceRecordDataset", "RecordDataset", "VerificationPairs", "read_bin", "write_bin"]
