"""The report: a static site written from the committed ledger, `python -m verify report -o DIR`."""

from verify.report.folder import ReportError
from verify.report.site import write

__all__ = ["ReportError", "write"]
