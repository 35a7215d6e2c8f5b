"""A CUDA device where there is none: what runs on one is run here, to the same numbers, and must not mix devices.

A tensor `Pretended` holds its numbers in a tensor of the CPU and says that it is on cuda:0.  As on the real device, an operation
on it and a tensor of the CPU raises (copies, scalars and indices apart), .numpy() raises, a generator draws on its own device
alone.  Generators of the device draw the CPU's numbers, so that a run must come to what it comes to on the CPU.  `waits` lists what
a real device would have to finish its work for: values read by Python, copies to the CPU.

Not seen here: kernels, their rounding and their speed, autocast, torch.compile, memory.
"""

from contextlib import ExitStack
from unittest import mock

import pytest
import torch

# torch imports these when a tensor subclass is first used, which must not happen while torch is patched.
import torch._dynamo
import torch.distributed.tensor
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves, tree_map

CUDA = torch.device("cuda", 0)
aten = torch.ops.aten
COPIES = {aten.copy_.default, aten._to_copy.default, aten.copy.default}
INDEXED = {aten.index.Tensor, aten.index_put.default, aten.index_put_.default, aten._index_put_impl_.default}
FACTORIES = ("zeros", "ones", "empty", "full", "arange", "eye", "rand", "randn", "randint", "tensor", "as_tensor")
PLAIN = {name: getattr(torch, name) for name in FACTORIES}
Generator, one_hot = torch.Generator, torch.nn.functional.one_hot
waits: list[str] = []


def on_cuda(device):
    return isinstance(device, str | torch.device) and torch.device(device).type == "cuda"


class CudaGenerator(Generator):
    """Draws the CPU's numbers."""

    device = CUDA

    def __new__(cls):
        return super().__new__(cls)


class AnyGenerator(type):
    def __call__(cls, device="cpu"):
        return CudaGenerator() if on_cuda(device) else Generator()

    def __instancecheck__(cls, x):
        return isinstance(x, Generator)


class EitherGenerator(metaclass=AnyGenerator):
    """torch.Generator for both devices."""


class Pretended(torch.Tensor):
    """A tensor on the device; `held` is the tensor of the CPU with its numbers."""

    __torch_function__ = torch._C._disabled_torch_function_impl
    device = property(lambda self: CUDA)
    is_cuda = property(lambda self: True)
    is_cpu = property(lambda self: False)

    @staticmethod
    def __new__(cls, held):
        shape = {"strides": held.stride(), "storage_offset": held.storage_offset(), "dtype": held.dtype}
        made = torch.Tensor._make_wrapper_subclass(cls, held.size(), device="cpu", **shape)
        made.held = held
        return made

    @classmethod
    def __torch_dispatch__(cls, op, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        tensors = [x for x in tree_leaves((args, kwargs)) if isinstance(x, torch.Tensor)]
        there = {id(x.held): x for x in tensors if isinstance(x, Pretended)}
        here = {id(x): x for x in tensors if not isinstance(x, Pretended)}
        allowed = op in COPIES or (op in INDEXED and isinstance(args[0], Pretended))
        if not allowed and any(x.ndim for x in here.values()):
            raise RuntimeError(f"{op}: expected all tensors to be on the same device, found cuda:0 and cpu")
        if not isinstance(kwargs.get("generator"), CudaGenerator | None):
            raise RuntimeError(f"{op}: expected a generator of cuda, found one of the cpu")
        if op is aten._local_scalar_dense.default:
            waits.append("item")
        args, kwargs = tree_map(lambda x: x.held if isinstance(x, Pretended) else x, (args, kwargs))

        def placed(x):
            if not isinstance(x, torch.Tensor) or id(x) in here:
                return x
            return there[id(x)] if id(x) in there else Pretended(x)

        return tree_map(placed, op(*args, **kwargs))


class Across(torch.autograd.Function):
    """A copy from one device to the other; its gradient goes back."""

    @staticmethod
    def forward(ctx, x):
        ctx.back = isinstance(x, Pretended)
        return x.held.clone() if ctx.back else Pretended(x.detach().clone())

    @staticmethod
    def backward(ctx, gradient):
        if ctx.back:
            return gradient if isinstance(gradient, Pretended) else Pretended(gradient)
        return gradient.held if isinstance(gradient, Pretended) else gradient


def moved(x, device):
    if isinstance(x, Pretended) == on_cuda(device):
        return x
    if isinstance(x, Pretended):
        waits.append("cpu")
    return Across.apply(x)


class Moves(TorchFunctionMode):
    """Copies between devices and values read by Python."""

    def __torch_function__(self, op, types, args=(), kwargs=None):
        kwargs, name = dict(kwargs or {}), getattr(op, "__name__", "")
        if not args or not isinstance(args[0], torch.Tensor) or name not in METHODS:
            return op(*args, **kwargs)
        return METHODS[name](op, *args, **kwargs)


def _to(op, x, *args, device=None, **kwargs):
    if args and isinstance(args[0], torch.Tensor):
        device, args = args[0].device, (args[0].dtype, *args[1:])
    elif args and isinstance(args[0], str | torch.device):
        device, args = args[0], args[1:]
    x = x if device is None else moved(x, device)
    return op(x, *args, **kwargs) if args or kwargs else x


def _numpy(op, x, *args, **kwargs):
    if isinstance(x, Pretended):
        raise TypeError("can't convert cuda:0 device type tensor to numpy. Use Tensor.cpu() first")
    return op(x, *args, **kwargs)


METHODS = {
    "to": _to,
    "cuda": lambda op, x: moved(x, CUDA),
    "cpu": lambda op, x: moved(x, "cpu"),
    "numpy": _numpy,
    "__array__": _numpy,
    "tolist": lambda op, x: op(moved(x.detach(), "cpu")),
}


def _factory(name):
    plain = PLAIN[name]

    def made(*args, **kwargs):
        if not on_cuda(kwargs.get("device")):
            if isinstance(kwargs.get("generator"), CudaGenerator):
                raise RuntimeError(f"{name}: expected a generator of the cpu, found one of cuda")
            return plain(*args, **kwargs)
        if not isinstance(kwargs.get("generator"), CudaGenerator | None):
            raise RuntimeError(f"{name}: expected a generator of cuda, found one of the cpu")
        wanted = kwargs.pop("requires_grad", False)
        found = plain(*args, **{key: value for key, value in kwargs.items() if key != "device"})
        return (found if isinstance(found, Pretended) else Pretended(found)).requires_grad_(wanted)

    return made


def _module_to(module, *args, dtype=None, device=None):
    """nn.Module.to without torch's swap of tensors, which subclasses do not allow."""
    if args and isinstance(args[0], torch.Tensor):
        dtype, device = args[0].dtype, args[0].device
    elif args:
        device = args[0]
    for part in module.modules():
        for store in (part._parameters, part._buffers):
            for name, x in store.items():
                if x is not None:
                    found = x.detach().to(dtype=dtype if x.is_floating_point() and dtype else x.dtype)
                    found = found if device is None else found.to(device=device)
                    store[name] = torch.nn.Parameter(found, x.requires_grad) if store is part._parameters else found
    return module


@pytest.fixture
def cuda():
    """torch with the device; yields the list of waits, empty at the start."""
    waits.clear()
    patches = [mock.patch.object(torch, name, _factory(name)) for name in FACTORIES]
    patches += [
        mock.patch.object(torch, "Generator", EitherGenerator),
        mock.patch.object(torch.nn.Module, "to", _module_to),
        mock.patch.object(
            torch.nn.functional, "one_hot", lambda x, n: Pretended(one_hot(x.held, n)) if x.is_cuda else one_hot(x, n)
        ),
        mock.patch.object(torch.cuda, "is_available", lambda: True),
        mock.patch.object(torch.cuda, "synchronize", lambda: waits.append("synchronize")),
        mock.patch.object(torch.cuda, "get_device_name", lambda: "pretended"),
        mock.patch.object(torch.cuda, "memory_allocated", lambda: 0),
        mock.patch.object(torch.cuda, "max_memory_allocated", lambda: 0),
        mock.patch.object(torch.cuda, "reset_peak_memory_stats", lambda: None),
    ]
    with ExitStack() as stack:
        for patch in patches:
            stack.enter_context(patch)
        stack.enter_context(Moves())
        yield waits
