"""Record files as data sets of single samples: an object with a length, that is asked for one sample after another.

That is what PyTorch's ``DataLoader``, Grain and Keras take; none of them is imported here. A data set is read by any
number of threads at once, inherited by forked processes and pickled to spawned ones.

`RecordDataset` is for any ``.rec``; `FaceRecordDataset` for those in the dialect of InsightFace, whose files for
verification `read_bin` reads. For whole batches, made by native threads, see `recio.io`.
"""

from recio.datasets._face_dataset import FaceRecordDataset
from recio.datasets._record_dataset import RecordDataset
from recio.datasets._verification_pairs import VerificationPairs, read_bin

__all__ = ["FaceRecordDataset", "RecordDataset", "VerificationPairs", "read_bin"]
