"""Records of tiny networks, trained in this process."""

import pytest
import torch

from verify.findings import runs
from verify.representations import command


@pytest.fixture(scope="session")
def tiny(tmp_path_factory):
    """The record of the tiny preset with two seeds."""
    return made(tmp_path_factory.mktemp("runs"), 2)


@pytest.fixture(scope="session")
def own(tmp_path_factory):
    """One seed of it, with an unembedding of its own; and the folder of its networks."""
    folder = tmp_path_factory.mktemp("own")
    return folder, made(folder, 1, unembedding="own")


def made(folder, seeds, **options):
    """The record of the tiny preset."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)

    def train_all(networks, where, processes, device, progress):
        return [runs.ensured(network, where, device) for network in networks]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(command, "train_all", train_all)
        record = command.run("tiny", seeds, command.Options(folder, 1, "cpu", **options))
    torch.set_num_threads(threads)
    return record
