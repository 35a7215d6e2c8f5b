"""Records of tiny networks, trained in this process."""

import pytest
import torch

from verify.findings import runs
from verify.representations import command


@pytest.fixture(scope="session")
def tiny(tmp_path_factory):
    """The record of the tiny preset with two seeds."""
    folder = tmp_path_factory.mktemp("runs")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)

    def train_all(networks, where, processes, device, progress):
        return [runs.ensured(network, where, device) for network in networks]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(command, "train_all", train_all)
        made = command.run("tiny", 2, command.Options(folder, 1, "cpu"))
    torch.set_num_threads(threads)
    return made
