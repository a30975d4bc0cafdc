"""Arrays of ``mx.nd``: MXNet's meaning of each method and operator, or an error.

The results are those of MXNet 1.9.1, by python/mxnet/ndarray/ndarray.py and src/operator/tensor at that tag.
"""

from __future__ import annotations

import copy
import pickle
import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from recio.compat.mxnet import NDArray

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import ModuleType


@pytest.fixture
def x(mx: ModuleType) -> Any:  # noqa: ANN401 an NDArray
    """Return 0 to 23 in an array of shape (2, 3, 4)."""
    return mx.nd.arange(24).reshape((2, 3, 4))


class TestViews:
    """Indexing: contiguous regions are views, others copies."""

    def test_elements_are_views(self, mx: ModuleType) -> None:
        """InsightFace's FaceImageIter writes each label so."""
        label = mx.nd.zeros((3,))
        label[1][:] = 5
        assert label.asnumpy().tolist() == [0, 5, 0]
        for row in label:
            row[:] = 1
        assert label.asnumpy().tolist() == [1, 1, 1]
        label[0] = 7
        label[2] = label[0]
        assert label.asnumpy().tolist() == [7, 1, 7]

    def test_element_of_several_axes_is_a_view(self, mx: ModuleType) -> None:
        array = mx.nd.zeros((2, 2, 2, 2))
        element = array[0, 1, 1, 1]
        element[:] = 9
        assert element.shape == (1,)
        assert array[0, 1, 1, 1].asscalar() == array.sum().asscalar() == 9

    @pytest.mark.parametrize(
        ("key", "is_view"),
        [
            (0, True),
            (-1, True),
            (slice(1, 2), True),
            ((1, slice(0, 2)), True),
            ((1, slice(1, 2), slice(1, 3)), True),
            ((slice(None), 0), False),
            ((slice(None), slice(0, 1)), False),
            ((Ellipsis, 0), False),
            ((0, Ellipsis), True),
            (slice(None, None, -1), False),
            (slice(0, 2, 2), True),
            ((None, 1), True),
            ([0, 1], False),
            (np.array([1]), False),
        ],
    )
    def test_region_is_a_view_if_it_is_contiguous(self, x: Any, key: Any, is_view: bool) -> None:  # noqa: ANN401
        region = x[key]
        expected = x.asnumpy()[key]
        np.testing.assert_array_equal(region.asnumpy(), expected)
        region[:] = -1
        assert (int((x.asnumpy() == -1).sum()) == expected.size) == is_view

    def test_regions_are_assigned_numbers_and_arrays(self, x: Any) -> None:  # noqa: ANN401
        plain = x.asnumpy()
        for key, value in (
            ((slice(None), 1), 5),
            ((0, slice(None), slice(0, 2)), np.ones((3, 2))),
            (1, [1, 2, 3, 4]),
            ((0, 0, 0), np.float32(8)),
            (([0, 1], [2, 2]), 6.5),
            ((None, 0), np.full((1, 3, 4), 2)),
        ):
            x[key] = value
            plain[key] = value
            np.testing.assert_array_equal(x.asnumpy(), plain)
        x[0] = x[1]
        np.testing.assert_array_equal(x[0].asnumpy(), plain[1])
        x[:] = 0
        assert x.asnumpy().any() == 0

    def test_assigned_values_take_the_type_of_the_array(self, mx: ModuleType) -> None:
        array = mx.nd.zeros((2,), dtype="int32")
        array[:] = 3.7
        array[1] = mx.nd.array([2.9])
        assert (array.asnumpy().tolist(), array.dtype) == ([3, 2], np.int32)

    @pytest.mark.parametrize(
        ("key", "error"),
        [
            (2, IndexError),
            ((0, 3), IndexError),
            ((0, 0, 0, 0), IndexError),
            (True, IndexError),
            (np.array([True, False]), IndexError),
            ("a", ValueError),
            ((Ellipsis, Ellipsis), IndexError),
        ],
    )
    def test_invalid_index_is_an_error(self, x: Any, key: Any, error: type[Exception]) -> None:  # noqa: ANN401
        with pytest.raises(error):
            x[key]
        with pytest.raises(error):
            x[key] = 1

    def test_comparison_as_an_index_means_the_numbers_0_and_1(self, mx: ModuleType) -> None:
        array = mx.nd.array([5, 6, 7])
        assert array[array > 5].asnumpy().tolist() == [5, 6, 6]

    def test_reshape_and_detach_are_views(self, x: Any) -> None:  # noqa: ANN401
        for view in (x.reshape((-1,)), x.detach(), x.flatten(inplace=True), x.expand_dims(0, inplace=True)):
            view[:] = x.sum().asscalar() + 1
            assert x.asnumpy().max() == x.asnumpy().min() == view.asnumpy().max()

    def test_results_of_methods_are_copies(self, x: Any) -> None:  # noqa: ANN401
        for copied in (
            x.flatten(), x.expand_dims(0), x.squeeze(), x.copy(), x.T, x.slice(0, 1), x.slice_axis(0, 0, 1),
            x.transpose((0, 1, 2)), x.broadcast_to((2, 3, 4)), x.astype("float32"), x.max(axis=()), x.clip(0, 99),
        ):  # fmt: skip
            copied[:] = -1
            assert x.asnumpy().min() == 0
        assert x.astype("float32", copy=False) is x


class TestShapes:
    """Shapes of results."""

    @pytest.mark.parametrize(
        ("codes", "reverse", "shape"),
        [
            ((0, -1), False, (2, 12)),
            ((4, -1), False, (4, 6)),
            ((-1,), False, (24,)),
            ((0, 0, -1), False, (2, 3, 4)),
            ((-2,), False, (2, 3, 4)),
            ((2, -2), False, (2, 3, 4)),
            ((-2, 1, 1), False, (2, 3, 4, 1, 1)),
            ((-3, 4), False, (6, 4)),
            ((0, -3), False, (2, 12)),
            ((-3, -2), False, (6, 4)),
            ((-4, 1, 2, -2), False, (1, 2, 3, 4)),
            ((2, -4, -1, 3, -2), False, (2, 1, 3, 4)),
            ((0, -4, 3, -1, 0), False, (2, 3, 1, 4)),
            ((-1, 0), False, (8, 3)),
            ((-1, 0), True, (6, 4)),
            ((8, 0), False, (8, 3)),
            ((0, 0, 0, 0), False, None),
            ((5, -1), False, None),
            ((-1, -1), False, None),
            ((-4, -1, -1, -2), False, None),
            ((-4, 3, 2, -2), False, None),
            ((-5, 24), False, None),
            ((7,), False, None),
        ],
    )
    def test_reshape_has_mxnets_codes(
        self,
        mx: ModuleType,
        x: Any,  # noqa: ANN401
        codes: tuple[int, ...],
        reverse: bool,
        shape: tuple[int, ...] | None,
    ) -> None:
        if shape is None:
            with pytest.raises(mx.MXNetError, match=re.escape(f"shape (2, 3, 4) into shape {codes}")):
                x.reshape(codes, reverse=reverse)
            return
        results = [x.reshape(codes, reverse=reverse), x.reshape(shape=codes, reverse=reverse)]
        results += [mx.nd.reshape(x, shape=codes, reverse=reverse)]
        if not reverse:
            results.append(x.reshape(*codes))
        for result in results:
            assert result.shape == shape
            np.testing.assert_array_equal(result.asnumpy().ravel(), np.arange(24))

    def test_reshape_refuses_other_keywords(self, x: Any) -> None:  # noqa: ANN401
        with pytest.raises(TypeError, match="Got unknown keywords in reshape: order"):
            x.reshape((24,), order="C")
        with pytest.raises(ValueError, match="Shape must be provided"):
            x.reshape()

    @pytest.mark.parametrize(
        ("call", "shape"),
        [
            (lambda x: x.flatten(), (2, 12)),
            (lambda x: x.transpose(), (4, 3, 2)),
            (lambda x: x.transpose(axes=(1, 2, 0)), (3, 4, 2)),
            (lambda x: x.transpose((0, 2, 1)), (2, 4, 3)),
            (lambda x: x.T, (4, 3, 2)),
            (lambda x: x.expand_dims(axis=1), (2, 1, 3, 4)),
            (lambda x: x.expand_dims(-1), (2, 3, 4, 1)),
            (lambda x: x.expand_dims(0).squeeze(), (2, 3, 4)),
            (lambda x: x.expand_dims(0).squeeze(axis=0), (2, 3, 4)),
            (lambda x: x.swapaxes(0, 2), (4, 3, 2)),
            (lambda x: x.slice_axis(axis=1, begin=1, end=None), (2, 2, 4)),
            (lambda x: x.slice_axis(axis=2, begin=-3, end=-1), (2, 3, 2)),
            (lambda x: x.slice(begin=(0, 1), end=(1, 3)), (1, 2, 4)),
            (lambda x: x.slice(begin=(None, 1), end=(None, 3), step=(None, 2)), (2, 1, 4)),
            (lambda x: x.tile(2), (2, 3, 8)),
            (lambda x: x.repeat(2), (48,)),
            (lambda x: x.repeat(2, axis=0), (4, 3, 4)),
            (lambda x: x.take(np.array([0, 9]), axis=1), (2, 2, 4)),
            (lambda x: x[0].one_hot(5), (3, 4, 5)),
            (lambda x: x.sum(axis=1), (2, 4)),
            (lambda x: x.sum(), (1,)),
            (lambda x: x.sum(keepdims=True), (1, 1, 1)),
            (lambda x: x.mean(axis=(0, 2)), (3,)),
            (lambda x: x.mean(axis=1, exclude=True), (3,)),
            (lambda x: x.max(axis=-1, keepdims=True), (2, 3, 1)),
            (lambda x: x.max(axis=(0, 1, 2)), (1,)),
            (lambda x: x.argmax(axis=1), (2, 4)),
            (lambda x: x.argmax(), (1,)),
            (lambda x: x.pad("edge", (0, 0, 0, 0, 1, 2)), (2, 3, 7)),
            (lambda x: x.topk(k=2), (2, 3, 2)),
            (lambda x: x.broadcast_axes(axis=0, size=5) if len(x) == 1 else x[:1].broadcast_axes(0, 5), (5, 3, 4)),
        ],
    )
    def test_shape_of_a_result_is_mxnets(
        self,
        x: Any,  # noqa: ANN401
        call: Callable[[Any], Any],
        shape: tuple[int, ...],
    ) -> None:
        result = call(x)
        assert isinstance(result, NDArray)
        assert result.shape == shape

    def test_functions_join_and_split(self, mx: ModuleType, x: Any) -> None:  # noqa: ANN401
        assert mx.nd.concat(x, x).shape == (2, 6, 4)
        assert mx.nd.concat(x, x, dim=0).shape == mx.nd.concatenate([x, x]).shape == (4, 3, 4)
        assert mx.nd.stack(x, x).shape == (2, 2, 3, 4)
        assert mx.nd.stack(x, x, axis=3).shape == (2, 3, 4, 2)
        assert [piece.shape for piece in x.split(3)] == [(2, 1, 4)] * 3
        assert [piece.shape for piece in mx.nd.split(x, 2, axis=0, squeeze_axis=True)] == [(3, 4)] * 2
        assert x.split(1).shape == x.shape
        with pytest.raises(mx.MXNetError, match="same dtype, as in MXNet"):
            mx.nd.concat(x, x.astype("int32"))

    def test_functions_order(self, mx: ModuleType) -> None:
        array = mx.nd.array([[3, 1, 2], [5, 5, 4]])
        assert array.sort().asnumpy().tolist() == [[1, 2, 3], [4, 5, 5]]
        assert array.argsort().asnumpy().tolist() == [[1, 2, 0], [2, 0, 1]]
        assert array.argsort(is_ascend=False).asnumpy().tolist() == [[0, 2, 1], [0, 1, 2]]
        assert array.topk(k=2).asnumpy().tolist() == [[0, 2], [0, 1]]
        assert array.topk(k=1, ret_typ="value").asnumpy().tolist() == [[3], [5]]
        assert array.topk(k=1, ret_typ="mask").asnumpy().tolist() == [[1, 0, 0], [1, 0, 0]]
        assert array.pick(mx.nd.array([1, 2])).asnumpy().tolist() == [1, 4]
        assert array.argsort().dtype == array.topk().dtype == np.float32


class TestTypes:
    """Types of results, and arithmetic."""

    @pytest.mark.parametrize("dtype", ["uint8", "int32", "int64", "float16", "float32", "float64"])
    def test_results_have_the_type_of_the_array(self, mx: ModuleType, dtype: str) -> None:
        array = mx.nd.array([3, 1, 2], dtype=dtype)
        for result in (
            array + 1, 1 - array, array * array, array / 2, array % 2, array**2, array == 1, array > 2, array.sum(),
            array.mean(), array.max(), array.argmax(), array.clip(1, 2), array.sqrt(), array.round(), -array,
            abs(array), array.zeros_like(), array.sort(), array.take(array), mx.nd.maximum(array, 2), array.prod(),
            array.norm(),
        ):  # fmt: skip
            assert isinstance(result, NDArray)
            assert result.dtype == np.dtype(dtype).type

    def test_integers_are_divided_toward_zero_and_numbers_truncated(self, mx: ModuleType) -> None:
        array = mx.nd.array([7, -7, 9], dtype="int32")
        assert (array / 2).asnumpy().tolist() == [3, -3, 4]
        assert (array / mx.nd.array([2, 2, -2], dtype="int32")).asnumpy().tolist() == [3, -3, -4]
        assert (20 / array).asnumpy().tolist() == [2, -2, 2]
        assert (array * 0.5).asnumpy().tolist() == [0, 0, 0]
        assert (array + 1.9).asnumpy().tolist() == [8, -6, 10]
        assert (mx.nd.array([200, 3], dtype="uint8") / 2).asnumpy().tolist() == [100, 1]
        assert (mx.nd.array([1], dtype="int64") * 2147483648).asscalar() == 2147483648
        with pytest.raises(ZeroDivisionError):
            array / 0

    def test_unsigned_integers_wrap(self, mx: ModuleType) -> None:
        array = mx.nd.array([200, 3], dtype="uint8")
        assert (array + 100).asnumpy().tolist() == [44, 103]
        assert (array - 5).asnumpy().tolist() == [195, 254]
        assert (-array).asnumpy().tolist() == [56, 253]

    def test_remainders_have_the_sign_of_the_divisor_and_0_of_0(self, mx: ModuleType) -> None:
        array = mx.nd.array([7, -7, 5.5])
        assert (array % 3).asnumpy().tolist() == [1, 2, 2.5]
        assert (array % -3).asnumpy().tolist() == [-2, -1, -0.5]
        assert (array % 0).asnumpy().tolist() == [0, 0, 0]
        assert (7 % mx.nd.array([4, 0])).asnumpy().tolist() == [3, 0]

    def test_comparisons_are_0_and_1(self, mx: ModuleType) -> None:
        array = mx.nd.array([1, 2, 3])
        for result, expected in (
            (array == 2, [0, 1, 0]),
            (array != 2, [1, 0, 1]),
            (array < 2, [1, 0, 0]),
            (array <= 2, [1, 1, 0]),
            (array.__gt__(2), [0, 0, 1]),
            (array >= mx.nd.array([2]), [0, 1, 1]),
            (mx.nd.array([1, 255], dtype="uint8") > 300, [0, 0]),
            (mx.nd.array([1, 255], dtype="uint8") > -1, [1, 1]),
        ):
            assert result.asnumpy().tolist() == expected

    def test_operators_work_in_place(self, mx: ModuleType) -> None:
        array = mx.nd.array([[8, 6]])
        same = array
        array += 2
        array -= mx.nd.array([1])
        array *= 3
        array /= mx.nd.array([[3, 7]])
        array %= 4
        assert same is array
        assert array.asnumpy().tolist() == [[1, 3]]
        with pytest.raises(mx.MXNetError, match=r"the result has shape \(2, 2\), the array \(1, 2\)"):
            array += mx.nd.ones((2, 2))

    def test_arrays_are_broadcast(self, mx: ModuleType) -> None:
        left, right = mx.nd.array([[1], [2]]), mx.nd.array([10, 20, 30])
        assert (left + right).asnumpy().tolist() == [[11, 21, 31], [12, 22, 32]]
        assert mx.nd.broadcast_mul(left, right).shape == (2, 3)
        assert mx.nd.broadcast_to(left, shape=(0, 4)).shape == (2, 4)
        assert mx.nd.broadcast_like(left, mx.nd.ones((2, 5))).shape == (2, 5)
        assert mx.nd.reshape_like(right, mx.nd.ones((3, 1))).shape == (3, 1)
        assert right.broadcast_to((2, 3)).shape == right.broadcast_like(mx.nd.ones((2, 3))).shape == (2, 3)
        with pytest.raises(mx.MXNetError):
            mx.nd.ones((2, 3)) + mx.nd.ones((2, 4))

    def test_operands_of_other_types_are_refused(self, mx: ModuleType) -> None:
        array = mx.nd.array([1, 2])
        with pytest.raises(mx.MXNetError, match="same dtype, as in MXNet, got float32 and int32"):
            array + array.astype("int32")
        operands: list[Any] = [np.ones(2), [1, 2], None, "a"]
        for other in operands:
            with pytest.raises(TypeError, match="not supported"):
                array * other
        with pytest.raises(TypeError, match="not supported"):
            np.ones(2) * array
        assert (np.float32(2) * array).asnumpy().tolist() == [2, 4]

    def test_sums_of_small_integers_that_do_not_fit_are_refused(self, mx: ModuleType) -> None:
        """MXNet wraps them."""
        array = mx.nd.array([200, 100], dtype="uint8")
        for call in (array.sum, array.mean, array.prod):
            with pytest.raises(mx.MXNetError, match=r"does not fit into uint8.*astype"):
                call()
        assert array.astype("float32").mean().asscalar() == 150
        assert mx.nd.array([5, 2], dtype="int32").mean().asscalar() == 3

    def test_halves_are_rounded_as_in_mxnet(self, mx: ModuleType) -> None:
        array = mx.nd.array([0.5, 1.5, -0.5, -1.5, 2.4])
        assert array.round().asnumpy().tolist() == [1, 2, -1, -2, 2]
        assert array.rint().asnumpy().tolist() == [0, 1, -1, -2, 2]
        assert array.fix().asnumpy().tolist() == [0, 1, 0, -1, 2]

    def test_dtype_is_a_type(self, mx: ModuleType) -> None:
        assert repr(mx.nd.ones((1,)).dtype) == "<class 'numpy.float32'>"
        assert mx.nd.ones((1,), dtype="uint8").dtype is np.uint8


class TestObjects:
    """What Python and NumPy do with arrays."""

    def test_truth_length_and_conversion(self, mx: ModuleType, x: Any) -> None:  # noqa: ANN401
        assert bool(mx.nd.array([2]))
        assert not mx.nd.array([0])
        with pytest.raises(ValueError, match="truth value of an NDArray with multiple elements is ambiguous"):
            bool(x)
        assert (len(x), x.ndim, x.size, x.stype) == (2, 3, 24, "default")
        assert (float(x[0, 1, 1]), int(x[1, 0, 0])) == (5, 12)
        assert len({x, x.copy()}) == 2

    def test_numpy_takes_arrays(self, x: Any) -> None:  # noqa: ANN401
        np.testing.assert_array_equal(np.asarray(x), x.asnumpy())
        assert np.array_equal(x, x.copy())
        assert np.stack([x, x]).shape == (2, 2, 3, 4)
        assert float(np.mean(x)) == 11.5
        assert np.argmax(x, axis=2).shape == (2, 3)

    def test_copies_and_pickles_do_not_share(self, x: Any) -> None:  # noqa: ANN401
        for copied in (copy.copy(x), copy.deepcopy(x), pickle.loads(pickle.dumps(x))):  # noqa: S301 of this test
            copied[:] = 0
            assert x.sum().asscalar() == 276

    def test_copyto_writes_to_another_array(self, mx: ModuleType, x: Any) -> None:  # noqa: ANN401
        other = mx.nd.zeros((2, 3, 4), dtype="int32")
        assert x.copyto(other) is other
        assert (other.sum().asscalar(), other.dtype) == (276, np.int32)
        assert x.copyto(mx.cpu()).context == mx.cpu()
        with pytest.raises(mx.MXNetError, match=r"same shape, got \(2, 3, 4\) and \(1,\)"):
            x.copyto(mx.nd.zeros((1,)))
        with pytest.warns(RuntimeWarning, match="copy an array to itself"):
            x.copyto(x)

    def test_out_is_written(self, mx: ModuleType, x: Any) -> None:  # noqa: ANN401
        out = mx.nd.zeros((2, 4))
        assert mx.nd.sum(x, axis=1, out=out) is out
        assert out.asnumpy().tolist() == x.asnumpy().sum(1).tolist()

    @pytest.mark.parametrize(
        "name", ["var", "std", "tolist", "item", "cumsum", "backward", "attach_grad", "grad", "nbytes"]
    )
    def test_methods_of_numpy_and_of_gradients_are_refused(self, x: Any, name: str) -> None:  # noqa: ANN401
        assert not hasattr(x, name)
        with pytest.raises(AttributeError, match=rf"recio's NDArray has no {name};.*asnumpy\(\)"):
            getattr(x, name)


class TestFunctions:
    """Functions that make arrays, and contexts."""

    def test_arrays_are_made(self, mx: ModuleType) -> None:
        nd = mx.nd
        assert nd.arange(2, 6, step=1.5, repeat=2).asnumpy().tolist() == [2, 2, 3.5, 3.5, 5, 5]
        assert nd.arange(3, dtype="int32").dtype == np.int32
        assert nd.full((2,), 7).asnumpy().tolist() == [7, 7]
        assert nd.linspace(0, 1, 3).asnumpy().tolist() == [0, 0.5, 1]
        assert nd.eye(2, 3, 1).asnumpy().tolist() == [[0, 1, 0], [0, 0, 1]]
        assert nd.ones(2).shape == (2,)
        assert nd.zeros_like(nd.ones((2, 2), dtype="uint8")).dtype == np.uint8
        assert nd.array([[1], [2]]).dtype == nd.empty((1,)).dtype == np.float32
        assert nd.array([nd.array([1, 2]), nd.array([3, 4])]).shape == (2, 2)
        assert nd.where(nd.array([1, 0]), nd.array([1, 2]), nd.array([3, 4])).asnumpy().tolist() == [1, 4]
        assert nd.dot(nd.ones((2, 3)), nd.ones((3, 4))).asnumpy().tolist() == [[3] * 4] * 2
        with pytest.raises(TypeError, match="source_array must be array like object"):
            nd.array("a")

    def test_random_arrays_have_mxnets_types(self, mx: ModuleType) -> None:
        numbers = mx.nd.random.uniform(0, 255, shape=(3, 4))
        assert (numbers.shape, numbers.dtype) == ((3, 4), np.float32)
        assert mx.nd.random.normal(shape=2).shape == (2,)
        assert mx.nd.random.randint(0, 9, shape=(2,)).dtype == np.int32

    @pytest.mark.parametrize("named", [False, True])
    def test_files_of_arrays_are_written_and_read(self, mx: ModuleType, tmp_path: Path, named: bool) -> None:
        arrays = [mx.nd.arange(6).reshape((2, 3)), mx.nd.ones((2,), dtype="uint8")]
        mx.nd.save(str(tmp_path / "a.nd"), dict(zip("ab", arrays, strict=True)) if named else arrays)
        loaded = mx.nd.load(str(tmp_path / "a.nd"))
        assert list(loaded) == ["a", "b"] if named else isinstance(loaded, list)
        for array, expected in zip(loaded.values() if named else loaded, arrays, strict=True):
            np.testing.assert_array_equal(array.asnumpy(), expected.asnumpy())
            assert array.dtype == expected.dtype

    def test_contexts_are_names_of_the_cpu(self, mx: ModuleType) -> None:
        pinned = mx.cpu_pinned()
        assert repr(mx.Context("cpu_pinned", 1)) == "cpu_pinned(1)"
        assert pinned == mx.context.cpu_pinned(0) == mx.Context(pinned) != mx.cpu()
        assert mx.nd.ones((1,), ctx=pinned).context == pinned
        assert mx.current_context() == mx.context.current_context() == mx.cpu()
        with pinned, mx.cpu(1) as inner:
            assert mx.nd.zeros((1,)).context == inner == mx.current_context() == mx.cpu(1)
        assert mx.current_context() == mx.cpu()
        array = mx.nd.ones((1,))
        assert array.as_in_context(pinned).context == pinned
        assert array.as_in_context(mx.cpu()) is array
        assert len({mx.cpu(), mx.cpu(0), pinned}) == 2
