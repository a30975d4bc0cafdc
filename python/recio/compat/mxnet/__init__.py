"""``import mxnet`` that gives recio: for scripts that only read data with MXNet and cannot be changed.

>>> import recio.compat.mxnet
>>> recio.compat.mxnet.install()
>>> import mxnet as mx
>>> mx.nd.array([1, 2]).asnumpy()
array([1., 2.], dtype=float32)
>>> recio.compat.mxnet.uninstall()

There is ``mx.recordio``, ``mx.io`` and ``mx.image`` (also ``mx.img``), as recio has them, but with ``.asnumpy()`` and
its siblings on images and on the arrays of batches (augmenters, called one by one, give plain arrays); ``mx.nd`` (also
``mx.ndarray``) with what makes arrays and turns them round; ``mx.cpu`` and ``mx.context``. ``mx.base.MXNetError`` is
``ValueError``, of which recio's errors are kinds. Of all else there is nothing, and an ``AttributeError`` or an
``ImportError`` says so in a sentence.

**Worker processes.** Forked ones inherit what is installed. Spawned ones import the main script again and then what was
pickled, so `install` belongs at the top of the script, before all that imports mxnet and not under
``if __name__ == "__main__"``. Arrays and readers can be pickled, and arrive whether or not it was called there.
"""

from recio.compat.mxnet._modules import install, uninstall
from recio.compat.mxnet._ndarray import Context, NDArray

__all__ = ["Context", "NDArray", "install", "uninstall"]
