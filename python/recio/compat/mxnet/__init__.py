"""``import mxnet`` that imports recio: for scripts that only read data with MXNet and cannot be changed.

>>> import recio.compat.mxnet
>>> recio.compat.mxnet.install()
>>> import mxnet as mx
>>> mx.nd.array([1, 2]).asnumpy()
array([1., 2.], dtype=float32)
>>> recio.compat.mxnet.uninstall()

The stand-in has recio's ``mx.recordio``, ``mx.io`` and ``mx.image`` (also ``mx.img``) with MXNet's arrays: what they
return, and what functions, hooks and augmenters take, is an `NDArray`. ``mx.nd`` (also ``mx.ndarray``) has the
functions of arrays, ``mx.context`` has ``cpu``, ``cpu_pinned`` and ``current_context``. Each method and operator of an
array has MXNet's meaning, or does not exist. ``mx.base.MXNetError`` is ``ValueError``, the base of recio's errors; here
a file that cannot be opened raises one too. An empty ``path_root`` means that the paths of a list are used as they are.
Any other name raises an ``AttributeError`` or an ``ImportError`` that explains this.

**Worker processes.** Forked processes inherit the stand-in. Spawned ones import the main script again and then unpickle
objects, so call `install` at the top of the script: before any import of mxnet, and not under
``if __name__ == "__main__"``. Pickled arrays and readers can be loaded with or without the stand-in.
"""

from recio.compat.mxnet._context import Context
from recio.compat.mxnet._modules import install, uninstall
from recio.compat.mxnet._ndarray import NDArray

__all__ = ["Context", "NDArray", "install", "uninstall"]
