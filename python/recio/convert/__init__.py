"""Conversions between record files and folders of images, WebDataset tars, TFRecord and Parquet files.

The bytes of images are copied, never encoded anew. Parquet needs pyarrow: ``pip install 'recio[parquet]'``.

=============== ===================================================================
_convert        the functions: arguments, order of the work
_formats        which format a path has; opens sources
_source         base of sources: rows, names of classes, summary
_row, _rest     row of all formats; what else a record file has
_survey         what all rows have in common, which decides columns and fields
_labels, _names labels of other formats as float32; files of names of classes
_records        record files
_folder         folders of images
_tar            WebDataset
_tfrecord       TFRecord; `_example` encodes and decodes its messages
_parquet        Parquet
_write          outputs: a file, a folder, shards; `_shards` divides rows
_staged_folder  folder that appears when it is complete
=============== ===================================================================
"""

from recio.convert._convert import convert, rows
from recio.convert._report import ConvertReport
from recio.convert._row import Row

__all__ = ["ConvertReport", "Row", "convert", "rows"]
