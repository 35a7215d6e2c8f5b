"""A fixture for folders whose tests run many small products in torch: import it in their conftest.py."""

import pytest
import torch


@pytest.fixture(scope="session", autouse=True)
def one_thread():
    """More threads only wait for each other."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
